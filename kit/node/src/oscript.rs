//! The syntax of oscript, the language agents are written in: whether a formula can be read, and if not,
//! where it stops, in the words of other nodes.

mod earley;
mod grammar;
mod lexer;

use std::sync::LazyLock;

use earley::{Grammar, Outcome};
use lexer::Lexer;

use crate::js;

/// What a formula has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It gives a value.
    Expression,
    /// It does something and gives nothing.
    Statements,
}

/// Why a formula is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormulaError {
    /// What is wrong.
    pub(crate) error: &'static str,
    /// Where it is wrong.
    pub(crate) place: Option<String>,
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| Grammar::read(grammar::OSCRIPT));

/// Checks that a formula can be read.
pub(crate) fn check(formula: &str, form: Form) -> Result<(), FormulaError> {
    let unreadable = |place: String| FormulaError { error: "parse error", place: Some(place) };
    let mut lexer = Lexer::new(formula);
    let mut reading = GRAMMAR.start();
    while let Some(token) = lexer.next_token().map_err(|()| unreadable(lexer.describe_rest()))? {
        if !reading.advance(&token) {
            let value = js::stringify(&token.value().into());
            let place = lexer.describe(&token);
            return Err(unreadable(format!("{place}\nUnexpected {} token: {value}\n", token.kind)));
        }
    }
    let wrong = |error| Err(FormulaError { error, place: None });
    match (reading.finish(), form) {
        (Outcome::Incomplete, _) => wrong("parser failed"),
        (Outcome::Expression, Form::Statements) => wrong("should be statements only"),
        (Outcome::Statements, Form::Expression) => wrong("result missing"),
        (Outcome::Expression, Form::Expression) | (Outcome::Statements, Form::Statements) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of_error(formula: &str) -> String {
        check(formula, Form::Statements).unwrap_err().place.unwrap()
    }

    #[test]
    fn what_is_read_as_an_expression_gives_a_value() {
        for formula in [
            "trigger.data.x AND balance[base] > -3 * 2 otherwise 'none'",
            "$f = ($x, $y) => { return $x || $y; }; $f(1, \"b\")",
            "var['a'] + var[this_address]['b'] + params.list[[.x = 1, .y.z != none]].q[2]",
            "trigger.output[[asset=base]] - round(1.5e3 / 2, 1) ^ 2",
            "{a: 1, 'b': [2, 3,], c: is_integer($x) ? reduce($l, 3, $f, 0) : data_feed[[oracles='A', feed_name='b']]}",
        ] {
            assert_eq!(check(formula, Form::Expression), Ok(()), "{formula}");
            assert_eq!(
                check(formula, Form::Statements).unwrap_err().error,
                "should be statements only",
                "{formula}"
            );
        }
    }

    #[test]
    fn what_is_read_as_statements_gives_nothing() {
        for formula in [
            "",
            "var['a'] += 1; /* why */ if ($x == 1) { bounce('no'); } else response['y'] = $x; // so",
            "foreach($list, 5, $v => { $y = $v; }); require($x, 'no'); log(1, 2);",
        ] {
            assert_eq!(check(formula, Form::Statements), Ok(()), "{formula}");
            assert_eq!(check(formula, Form::Expression).unwrap_err().error, "result missing", "{formula}");
        }
    }

    #[test]
    fn an_error_shows_the_line_and_the_column() {
        assert_eq!(
            place_of_error("$x = 1;\n$y = nothing(2);"),
            "invalid syntax at line 2 col 6:\n\n  $y = nothing\n       ^\nUnexpected IDEN token: \"nothing\"\n"
        );
        assert_eq!(
            place_of_error("$x = 1 ~ 2;\n$y"),
            "invalid syntax at line 1 col 8:\n\n  $x = 1 ~ 2;\n         ^"
        );
    }

    #[test]
    fn what_stops_early_is_told_from_what_goes_wrong() {
        assert_eq!(check("$x = (1", Form::Statements).unwrap_err().error, "parser failed");
        assert_eq!(check("$x = )", Form::Statements).unwrap_err().error, "parse error");
    }
}
