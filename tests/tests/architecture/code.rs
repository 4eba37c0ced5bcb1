//! The words of a source file that are code: no comments, no texts, no tests.

use std::collections::BTreeSet;

use crate::workspace::Source;

impl Source {
    /// The words and lifetimes of the code that is shipped.
    pub(crate) fn words(&self) -> BTreeSet<String> {
        let code = without_tests(&without_texts(&self.text));
        let words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// The items and modules at the top of a crate that the file names, its tests included.
    pub(crate) fn named_of(&self, package: &str) -> Vec<String> {
        let code = without_texts(&self.text);
        code.split(&format!("{package}::")).skip(1).flat_map(first_names).collect()
    }

    /// Whether the whole file is a test: it lies in `tests` or is `tests.rs`.
    ///
    /// That such a module is declared under `cfg(test)` is a rule of its own.
    pub(crate) fn is_a_test(&self) -> bool {
        let inside = self.path.split_once("/src/").map_or(self.path.as_str(), |(_, inside)| inside);
        let in_crate = inside == self.path.as_str();
        in_crate || inside.split('/').any(|part| part == "tests" || part == "tests.rs")
    }
}

/// The files of a folder that name one of these words in code that is shipped.
pub(crate) fn naming(sources: &[Source], words: &[&str]) -> Vec<String> {
    let shipped = sources.iter().filter(|source| !source.is_a_test());
    let guilty = shipped.flat_map(|source| {
        let there = source.words();
        let named = words.iter().filter(move |word| there.contains(**word));
        named.map(|word| format!("{} names `{word}`", source.path)).collect::<Vec<_>>()
    });
    guilty.collect()
}

/// The name that a path goes on with, or the names of a group of paths.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| -> String {
        path.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut depth = 0_i32;
    let parts = group.split_inclusive(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        depth < 0 || (depth == 0 && letter == ',')
    });
    let mut open = true;
    let within = parts.take_while(|part| std::mem::replace(&mut open, part.ends_with(',')));
    within.map(name).filter(|name| !name.is_empty()).collect()
}

/// The same text with comments, strings and characters blanked; lines stay lines.
pub(crate) fn without_texts(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(letter) = rest.chars().next() {
        let (length, is_code) = match piece(rest, code.chars().next_back()) {
            Some(length) => (length, false),
            None => (letter.len_utf8(), true),
        };
        let (taken, left) = rest.split_at(length);
        if is_code {
            code.push_str(taken);
        } else {
            code.push(' ');
            code.extend(taken.chars().filter(|letter| *letter == '\n'));
        }
        rest = left;
    }
    code
}

/// The length of the comment, string or character that `rest` begins with, if it does.
fn piece(rest: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    if rest.starts_with("//") {
        Some(rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        Some(block(rest))
    } else if rest.starts_with('"') {
        Some(quoted(rest, '"'))
    } else if rest.starts_with('\'') {
        character(rest)
    } else if !in_word && (rest.starts_with('r') || rest.starts_with("br")) {
        raw(rest)
    } else {
        None
    }
}

fn block(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character, and not a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1);
    let (_, first) = letters.next()?;
    if first == '\\' {
        return Some(quoted(rest, '\''));
    }
    letters.next().filter(|(_, letter)| *letter == '\'').map(|(at, _)| at + 1)
}

fn raw(rest: &str) -> Option<usize> {
    let prefix = if rest.starts_with("br") { 2 } else { 1 };
    let hashes = rest[prefix..].chars().take_while(|letter| *letter == '#').count();
    let body = rest[prefix + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let begin = prefix + hashes + 1;
    Some(body.find(&end).map_or(rest.len(), |at| begin + at + end.len()))
}

/// Code without the items that stand under `cfg(test)`.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut shipped = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        shipped.push_str(&rest[..at]);
        let item = &rest[at + MARK.len()..];
        rest = &item[item_length(item)..];
    }
    shipped.push_str(rest);
    shipped
}

/// The length of an item: to its semicolon, or to the brace that closes it.
fn item_length(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in item.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

fn source(text: &str) -> Source {
    Source { path: "kit/core/src/made_up.rs".to_owned(), text: text.to_owned() }
}

#[test]
fn a_forbidden_word_in_code_is_caught() {
    let guilty = source("pub fn now() -> u64 { std::time::Instant::now().elapsed().as_secs() }");

    let caught = naming(&[guilty], &["std", "Instant", "HashMap"]);

    let expected = ["kit/core/src/made_up.rs names `std`", "kit/core/src/made_up.rs names `Instant`"];
    assert_eq!(caught, expected);
}

#[test]
#[expect(clippy::needless_raw_string_hashes, reason = "the text holds a raw string of its own")]
fn a_word_in_a_comment_a_text_or_a_test_is_not_code() {
    let innocent = source(
        r##"
        //! No `std` here.
        /* nor /* Instant */ HashMap */
        fn name<'std_like>(of: &'std_like str) -> (char, &str, &str) { ('"', "std", r#"a "HashMap""#) }
        #[cfg(test)]
        extern crate std;
        #[cfg(test)]
        mod tests { fn now() { std::time::Instant::now(); } }
        fn after() -> char { '\'' }
        "##,
    );

    assert_eq!(naming(std::slice::from_ref(&innocent), &["std", "Instant", "HashMap"]), [""; 0]);
    assert!(innocent.words().contains("after"), "what follows a test is code again");
}
