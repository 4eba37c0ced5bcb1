use std::{cell::RefCell, collections::BTreeSet};

use serde_json::{Map, Value};

/// A recorded case that knows which of its fields were looked at.
#[derive(Debug)]
pub struct Case<'a> {
    label: String,
    fields: &'a Map<String, Value>,
    seen: RefCell<BTreeSet<String>>,
}

impl<'a> Case<'a> {
    /// A case under a name that tells where to look when it fails.
    ///
    /// # Panics
    ///
    /// When the value is no object.
    pub fn of(label: &str, value: &'a Value) -> Self {
        let fields = value.as_object().unwrap_or_else(|| panic!("{label}: an object wanted"));
        Self { label: label.to_owned(), fields, seen: RefCell::default() }
    }

    /// Where this is.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether there is such a field; this does not count as looking at it.
    pub fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// A field that is an input.
    ///
    /// # Panics
    ///
    /// When it is missing.
    pub fn input(&self, key: &str) -> &'a Value {
        self.optional(key).unwrap_or_else(|| panic!("{}: {key} is missing", self.label))
    }

    /// A field that is an input, if there.
    pub fn optional(&self, key: &str) -> Option<&'a Value> {
        self.seen.borrow_mut().insert(key.to_owned());
        self.fields.get(key)
    }

    /// A text that is an input.
    ///
    /// # Panics
    ///
    /// When it is missing or no text.
    pub fn text(&self, key: &str) -> &'a str {
        self.input(key).as_str().unwrap_or_else(|| panic!("{}: {key} is no text", self.label))
    }

    /// Compares a field with what was computed.
    ///
    /// # Panics
    ///
    /// When it is missing or another.
    pub fn compare(&self, key: &str, computed: impl Into<Value>) {
        let (recorded, computed) = (self.input(key), computed.into());
        assert!(*recorded == computed, "{}: {key}: recorded {recorded}, computed {computed}", self.label);
    }

    /// Looks at no further field of this case, for a reason.
    ///
    /// # Panics
    ///
    /// Without a reason.
    pub fn waive(&self, reason: &str) {
        assert!(!reason.is_empty(), "{}: say why", self.label);
        self.seen.borrow_mut().extend(self.fields.keys().cloned());
    }

    /// Checks each element of a list; gives how many there are.
    ///
    /// # Panics
    ///
    /// When there is no such list, a check fails, or a field of an element was passed over.
    pub fn each(&self, key: &str, not_compared: &[(&str, &str)], check: impl Fn(&Case<'_>)) -> usize {
        let elements =
            self.input(key).as_array().unwrap_or_else(|| panic!("{}: {key} is no list", self.label));
        for (index, element) in elements.iter().enumerate() {
            let name = ["name", "note", "why", "kind_of_unit"]
                .into_iter()
                .find_map(|key| element.get(key)?.as_str());
            let label = format!("{}: {key}[{index}] {}", self.label, name.unwrap_or_default());
            let case = Case::of(label.trim_end(), element);
            check(&case);
            case.finish(not_compared);
        }
        elements.len()
    }

    /// Checks each value of an object, with its key.
    ///
    /// # Panics
    ///
    /// As [`Case::each`].
    pub fn entries(&self, key: &str, not_compared: &[(&str, &str)], check: impl Fn(&str, &Case<'_>)) {
        let fields =
            self.input(key).as_object().unwrap_or_else(|| panic!("{}: {key} is no object", self.label));
        for (name, value) in fields {
            let case = Case::of(&format!("{}: {name}", self.label), value);
            check(name, &case);
            case.finish(not_compared);
        }
    }

    /// Checks an object inside this one.
    ///
    /// # Panics
    ///
    /// As [`Case::each`].
    pub fn nested(&self, key: &str, not_compared: &[(&str, &str)], check: impl Fn(&Case<'_>)) {
        let case = Case::of(&format!("{}: {key}", self.label), self.input(key));
        check(&case);
        case.finish(not_compared);
    }

    /// Makes sure that every field was looked at, or stands in the list with a reason.
    pub(crate) fn finish(&self, not_compared: &[(&str, &str)]) {
        let seen = self.seen.borrow();
        let listed = |key: &str| not_compared.iter().any(|(name, reason)| *name == key && !reason.is_empty());
        let passed_over: Vec<_> = self
            .fields
            .keys()
            .filter(|key| !seen.contains(*key) && !listed(key))
            .map(String::as_str)
            .collect();
        assert!(
            passed_over.is_empty(),
            "{}: neither input, nor compared, nor listed: {}",
            self.label,
            passed_over.join(", ")
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    #[should_panic(expected = "neither input, nor compared, nor listed: c")]
    fn a_field_that_is_passed_over_fails_the_case() {
        let value = json!({"cases": [{"a": 1, "b": 2, "c": 3}]});

        Case::of("file", &value).each("cases", &[("b", "a reason")], |case| case.compare("a", 1));
    }

    #[test]
    #[should_panic(expected = "a: recorded 1, computed 2")]
    fn a_field_that_differs_fails_the_case() {
        Case::of("file", &json!({"a": 1})).compare("a", 2);
    }

    #[test]
    fn a_case_that_is_looked_at_in_full_passes() {
        let value =
            json!({"cases": [{"a": 1, "inner": {"b": 2}, "named": {"x": {"c": 3}}}, {"a": 1, "d": 4}]});

        let count = Case::of("file", &value).each("cases", &[], |case| {
            case.compare("a", 1);
            if case.has("d") {
                return case.waive("nothing more to see");
            }
            case.nested("inner", &[("b", "a reason")], |_inner| {});
            case.entries("named", &[], |name, named| named.compare("c", if name == "x" { 3 } else { 0 }));
        });

        assert_eq!(count, 2);
    }
}
