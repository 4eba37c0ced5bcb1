use std::collections::{BTreeMap, BTreeSet};

use super::lexer::Token;

/// A grammar, read from its rules: `name = a "b" %kind ( c | d )* e? ;`.
pub(super) struct Grammar {
    rules: Vec<Rule>,
    by_head: Vec<Vec<usize>>,
    nullable: BTreeSet<usize>,
    start: usize,
    statements: usize,
}

struct Rule {
    head: usize,
    body: Vec<Symbol>,
}

#[derive(Clone, Debug, PartialEq)]
enum Symbol {
    Name(usize),
    Text(String),
    Kind(String),
}

impl Symbol {
    fn takes(&self, token: &Token<'_>) -> bool {
        match self {
            Self::Name(_) => false,
            Self::Text(text) => text == token.text,
            Self::Kind(kind) => kind == token.kind.0,
        }
    }
}

/// What a formula turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It stops in the middle.
    Incomplete,
    /// It ends in a value.
    Expression,
    /// It gives no value.
    Statements,
}

/// A rule that may apply, how far it got, and where it began.
type Item = (usize, usize, usize);

/// A formula while it is read: everything it may still become.
pub(super) struct Reading<'a> {
    grammar: &'a Grammar,
    sets: Vec<BTreeSet<Item>>,
}

impl Grammar {
    pub(super) fn read(rules: &str) -> Self {
        let mut reader = Reader::default();
        for rule in rules.split(";\n") {
            let mut words = rule.split_whitespace();
            let Some(name) = words.next() else { continue };
            let head = reader.name(name);
            // The sign between a name and what it stands for.
            words.next();
            let words: Vec<&str> = words.collect();
            reader.alternatives(head, &words);
        }
        let (start, statements) = (reader.name("main"), reader.name("statements"));
        let mut by_head = vec![Vec::new(); reader.count];
        for (index, rule) in reader.rules.iter().enumerate() {
            by_head[rule.head].push(index);
        }
        let nullable = nullable(&reader.rules);
        Self { rules: reader.rules, by_head, nullable, start, statements }
    }

    pub(super) fn start(&self) -> Reading<'_> {
        let mut reading = Reading { grammar: self, sets: vec![BTreeSet::new()] };
        reading.close(self.by_head[self.start].iter().map(|rule| (*rule, 0, 0)).collect());
        reading
    }
}

impl Reading<'_> {
    /// Takes a token; says whether anything can begin like this.
    pub(super) fn advance(&mut self, token: &Token<'_>) -> bool {
        let Some(last) = self.sets.last() else { return false };
        let fitting = last.iter().filter(|(rule, dot, _)| {
            self.grammar.rules[*rule].body.get(*dot).is_some_and(|symbol| symbol.takes(token))
        });
        let next: Vec<Item> = fitting.map(|(rule, dot, origin)| (*rule, dot + 1, *origin)).collect();
        let can_go_on = !next.is_empty();
        self.sets.push(BTreeSet::new());
        self.close(next);
        can_go_on
    }

    pub(super) fn finish(&self) -> Outcome {
        let is_whole = |name: usize| {
            let is_done = |(rule, dot, origin): &Item| {
                let rule = &self.grammar.rules[*rule];
                rule.head == name && *dot == rule.body.len() && *origin == 0
            };
            self.sets.last().is_some_and(|last| last.iter().any(is_done))
        };
        match (is_whole(self.grammar.start), is_whole(self.grammar.statements)) {
            (false, _) => Outcome::Incomplete,
            (true, true) => Outcome::Statements,
            (true, false) => Outcome::Expression,
        }
    }

    /// Adds items to the last set, with all that follows from them.
    fn close(&mut self, mut open: Vec<Item>) {
        let here = self.sets.len() - 1;
        while let Some(item) = open.pop() {
            if !self.sets[here].insert(item) {
                continue;
            }
            let (rule, dot, origin) = item;
            let rule = &self.grammar.rules[rule];
            match rule.body.get(dot) {
                None => open.extend(self.waiting_for(rule.head, origin)),
                Some(Symbol::Name(name)) => {
                    open.extend(self.grammar.by_head[*name].iter().map(|rule| (*rule, 0, here)));
                    if self.grammar.nullable.contains(name) {
                        open.push((item.0, dot + 1, origin));
                    }
                }
                Some(Symbol::Text(_) | Symbol::Kind(_)) => {}
            }
        }
    }

    /// The items of a set that wait for a name, one step on.
    fn waiting_for(&self, name: usize, at: usize) -> Vec<Item> {
        let waits =
            |(rule, dot, _): &&Item| self.grammar.rules[*rule].body.get(*dot) == Some(&Symbol::Name(name));
        self.sets[at].iter().filter(waits).map(|(rule, dot, origin)| (*rule, dot + 1, *origin)).collect()
    }
}

fn nullable(rules: &[Rule]) -> BTreeSet<usize> {
    let mut nullable = BTreeSet::new();
    loop {
        let before = nullable.len();
        for rule in rules {
            let is_empty = rule.body.iter().all(|symbol| match symbol {
                Symbol::Name(name) => nullable.contains(name),
                Symbol::Text(_) | Symbol::Kind(_) => false,
            });
            if is_empty {
                nullable.insert(rule.head);
            }
        }
        if nullable.len() == before {
            return nullable;
        }
    }
}

#[derive(Default)]
struct Reader {
    names: BTreeMap<String, usize>,
    rules: Vec<Rule>,
    count: usize,
}

impl Reader {
    fn fresh(&mut self) -> usize {
        self.count += 1;
        self.count - 1
    }

    fn name(&mut self, name: &str) -> usize {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let fresh = self.fresh();
        self.names.insert(name.to_owned(), fresh);
        fresh
    }

    fn alternatives(&mut self, head: usize, words: &[&str]) {
        let mut depth = 0;
        let is_bar = |word: &&str| {
            match *word {
                "(" => depth += 1,
                ")" | ")?" | ")*" | ")+" => depth -= 1,
                _ => {}
            }
            *word == "|" && depth == 0
        };
        let parts: Vec<&[&str]> = words.split(is_bar).collect();
        for part in parts {
            let body = self.sequence(part);
            self.rules.push(Rule { head, body });
        }
    }

    fn sequence(&mut self, words: &[&str]) -> Vec<Symbol> {
        let mut body = Vec::new();
        let mut index = 0;
        while index < words.len() {
            let end = if words[index] == "(" { closing(words, index) } else { index };
            let (symbol, times) = if end > index {
                let group = self.fresh();
                self.alternatives(group, &words[index + 1..end]);
                (Symbol::Name(group), words[end].strip_prefix(')').unwrap_or_default())
            } else {
                let (word, times) = repeated(words[index]);
                (self.symbol(word), times)
            };
            body.push(self.times(symbol, times));
            index = end + 1;
        }
        body
    }

    fn symbol(&mut self, word: &str) -> Symbol {
        if let Some(kind) = word.strip_prefix('%') {
            return Symbol::Kind(kind.to_owned());
        }
        let text = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
        text.map_or_else(|| Symbol::Name(self.name(word)), |text| Symbol::Text(text.to_owned()))
    }

    fn times(&mut self, symbol: Symbol, times: &str) -> Symbol {
        if times.is_empty() {
            return symbol;
        }
        let head = self.fresh();
        let first = if times == "+" { vec![symbol.clone()] } else { Vec::new() };
        self.rules.push(Rule { head, body: first });
        let more = if times == "?" { vec![symbol] } else { vec![Symbol::Name(head), symbol] };
        self.rules.push(Rule { head, body: more });
        Symbol::Name(head)
    }
}

fn closing(words: &[&str], open: usize) -> usize {
    let mut depth = 0;
    for (index, word) in words.iter().enumerate().skip(open) {
        match *word {
            "(" => depth += 1,
            ")" | ")?" | ")*" | ")+" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    words.len() - 1
}

/// Splits the mark for repetition from a word; signs in quotes have none.
fn repeated(word: &str) -> (&str, &str) {
    let end = word.len() - 1;
    if word.len() > 1 && !word.ends_with('"') && word.ends_with(['?', '*', '+']) {
        word.split_at(end)
    } else {
        (word, "")
    }
}
