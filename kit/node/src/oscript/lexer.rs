use std::fmt;

/// The kinds of tokens, by the names other nodes give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind(pub(super) &'static str);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A piece of a formula.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    offset: usize,
    line: usize,
    column: usize,
}

impl Token<'_> {
    /// The text, without quotes and their escapes.
    pub(super) fn value(&self) -> String {
        if self.kind.0 != "string" {
            return self.text.to_owned();
        }
        let quote = &self.text[..1];
        let inner = &self.text[1..self.text.len() - 1];
        inner.replace(&format!("\\{quote}"), quote).replace("\\\\", "\\")
    }
}

/// Signs, longer ones before the ones they begin with.
const SIGNS: [(&str, &[&str]); 18] = [
    ("assignment_with_op", &["||=", "+=", "-=", "/=", "%=", "*="]),
    ("op", &["+", "-", "/", "*", "%", "^"]),
    ("concat", &["||"]),
    ("leftParen", &["("]),
    ("rightParen", &[")"]),
    ("dollarBraceLeft", &["${"]),
    ("braceLeft", &["{"]),
    ("braceRight", &["}"]),
    ("sl", &["["]),
    ("sr", &["]"]),
    ("arrow", &["=>"]),
    ("comparisonOperators", &["==", ">=", "<=", "!=", ">", "<", "="]),
    ("not", &["!"]),
    ("ternary", &["?", ":"]),
    ("semi", &[";"]),
    ("comma", &[","]),
    ("dot", &["."]),
    ("number_sign", &["#"]),
];

const TRIGGER_PARTS: [(&str, &str); 7] = [
    ("trigger_address", "trigger.address"),
    ("trigger_initial_address", "trigger.initial_address"),
    ("trigger_unit", "trigger.unit"),
    ("trigger_initial_unit", "trigger.initial_unit"),
    ("trigger_data", "trigger.data"),
    ("trigger_outputs", "trigger.outputs"),
    ("trigger_output", "trigger.output"),
];

const KEYWORDS: &str = " min max pi e sqrt ln ceil floor round abs hypot is_valid_signed_package is_valid_sig \
    vrf_verify sha256 chash160 json_parse json_stringify number_from_seed length is_valid_address starts_with \
    ends_with contains substring timestamp_to_string parse_date is_aa is_integer is_valid_amount is_array \
    is_assoc array_length index_of to_upper to_lower exists number_of_responses is_valid_merkle_proof replace \
    typeof delete freeze keys foreach map filter reduce reverse split join has_only timestamp storage_size mci \
    this_address response_unit mc_unit params previous_aa_responses type ifseveral ifnone attestors address \
    oracles feed_name min_mci feed_value what amount none base true false and AND or OR not NOT otherwise \
    OTHERWISE asset var response log if else return bounce require unit definition balance attestation \
    data_feed in_data_feed input output ";

/// Cuts a formula into tokens.
pub(super) struct Lexer<'a> {
    formula: &'a str,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(formula: &'a str) -> Self {
        Self { formula, offset: 0, line: 1, column: 1 }
    }

    /// The next token that means something; none at the end.
    ///
    /// # Errors
    ///
    /// When what comes next is no token.
    pub(super) fn next_token(&mut self) -> Result<Option<Token<'a>>, ()> {
        loop {
            if self.offset == self.formula.len() {
                return Ok(None);
            }
            let (kind, length) = self.longest_fitting().ok_or(())?;
            let text = &self.formula[self.offset..self.offset + length];
            let token =
                Token { kind: Kind(kind), text, offset: self.offset, line: self.line, column: self.column };
            self.pass(text);
            if !matches!(kind, "WS" | "comment" | "bcpl_comment") {
                return Ok(Some(token));
            }
        }
    }

    /// Shows where a token stands.
    pub(super) fn describe(&self, token: &Token<'_>) -> String {
        let end = token.text.find('\n').unwrap_or(token.text.len());
        self.show(token.offset, token.offset + end, token.line, token.column)
    }

    /// Shows where what is no token stands.
    pub(super) fn describe_rest(&self) -> String {
        let rest = &self.formula[self.offset..];
        let end = rest.find('\n').unwrap_or(rest.len());
        self.show(self.offset, self.offset + end, self.line, self.column)
    }

    fn show(&self, offset: usize, end: usize, line: usize, column: usize) -> String {
        let start = self.formula[..offset].rfind('\n').map_or(0, |newline| newline + 1);
        let shown = &self.formula[start..end];
        let indent = " ".repeat(column - 1);
        format!("invalid syntax at line {line} col {column}:\n\n  {shown}\n  {indent}^")
    }

    fn pass(&mut self, text: &str) {
        self.offset += text.len();
        match text.rfind('\n') {
            Some(newline) => {
                self.line += text.matches('\n').count();
                self.column = 1 + text[newline + 1..].encode_utf16().count();
            }
            None => self.column += text.encode_utf16().count(),
        }
    }

    /// The first rule that fits here, with the length of what it takes.
    fn longest_fitting(&self) -> Option<(&'static str, usize)> {
        let rest = &self.formula[self.offset..];
        let before = self.formula[..self.offset].chars().next_back();
        quoted(rest)
            .or_else(|| blank(rest))
            .or_else(|| number(rest))
            .or_else(|| sign(rest, &SIGNS[..12]))
            .or_else(|| sign(rest, &SIGNS[12..14]))
            .or_else(|| word(rest, before))
            .or_else(|| sign(rest, &SIGNS[14..]))
    }
}

fn quoted(rest: &str) -> Option<(&'static str, usize)> {
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let mut characters = rest.char_indices().skip(1);
    while let Some((index, character)) = characters.next() {
        if character == quote {
            return Some(("string", index + 1));
        }
        if character == '\\' {
            // An escaped character is any but the end of the line.
            characters.next().filter(|(_, escaped)| *escaped != '\n')?;
        }
    }
    None
}

fn blank(rest: &str) -> Option<(&'static str, usize)> {
    let spaces = rest.len() - rest.trim_start().len();
    if spaces > 0 {
        return Some(("WS", spaces));
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        return comment.find("*/").map(|end| ("comment", end + 4));
    }
    rest.starts_with("//").then(|| ("bcpl_comment", rest.find('\n').unwrap_or(rest.len())))
}

fn number(rest: &str) -> Option<(&'static str, usize)> {
    let whole = digits(rest);
    if whole == 0 || whole > 1 && rest.starts_with('0') {
        return None;
    }
    let fraction = rest[whole..].strip_prefix('.').map(digits).filter(|count| *count > 0);
    let ends = [fraction.map(|count| whole + 1 + count), Some(whole)];
    ends.into_iter().flatten().find_map(|end| {
        let with_exponent = exponent(&rest[end..]).map(|length| end + length);
        let fitting = [with_exponent, Some(end)];
        fitting.into_iter().flatten().find(|end| !starts_with_word(&rest[*end..])).map(|end| ("number", end))
    })
}

fn exponent(rest: &str) -> Option<usize> {
    let unsigned = rest.strip_prefix(['e', 'E'])?;
    let sign = usize::from(unsigned.starts_with(['+', '-']));
    let count = digits(&unsigned[sign..]);
    (count > 0).then_some(1 + sign + count)
}

fn digits(rest: &str) -> usize {
    rest.bytes().take_while(u8::is_ascii_digit).count()
}

fn sign(rest: &str, signs: &[(&'static str, &[&str])]) -> Option<(&'static str, usize)> {
    signs.iter().find_map(|(kind, texts)| {
        let text = texts.iter().find(|text| rest.starts_with(**text))?;
        Some((*kind, text.len()))
    })
}

/// Everything made of letters; it begins where a word begins.
fn word(rest: &str, before: Option<char>) -> Option<(&'static str, usize)> {
    let is_inside = before.is_some_and(is_word);
    let first = rest.chars().next()?;
    let length = rest.chars().take_while(|character| is_word(*character)).count();
    if is_word(first) && !is_inside {
        let is_base32 = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
        if length == 32 && rest[..length].bytes().all(is_base32) {
            return Some(("addressValue", length));
        }
        let is_whole = |text: &str| rest.strip_prefix(text).is_some_and(|after| !starts_with_word(after));
        if let Some((kind, text)) = TRIGGER_PARTS.iter().find(|(_, text)| is_whole(text)) {
            return Some((kind, text.len()));
        }
    }
    if first == '.' {
        let length = rest[1..].chars().take_while(|character| is_word(*character)).count();
        return (length > 0).then_some(("dotSelector", length + 1));
    }
    if let Some(name) = rest.strip_prefix('$') {
        let length = name.chars().take_while(|character| is_word(*character)).count();
        let is_name = name.chars().next().is_some_and(|it| it.is_ascii_alphabetic() || it == '_');
        return is_name.then_some(("local_var_name", length + 1));
    }
    if is_inside || !(first.is_ascii_alphabetic() || first == '_') {
        return None;
    }
    let is_keyword = KEYWORDS.contains(&format!(" {} ", &rest[..length]));
    Some((if is_keyword { "keyword" } else { "IDEN" }, length))
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn starts_with_word(rest: &str) -> bool {
    rest.chars().next().is_some_and(is_word)
}
