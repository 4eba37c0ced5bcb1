//! The formulas of an agent, in the order other nodes read them.

use serde_json::{Map, Value};

use super::{MAX_DEPTH, Told, cases, ensure, formula};
use crate::{
    js,
    oscript::{self, Form},
};

/// Checks every formula of a template: the getters first, then the fields in alphabetical order.
pub(super) fn check(template: &Map<String, Value>) -> Told {
    let mut rest = template.clone();
    if let Some(getters) = rest.remove("getters") {
        check_formula(formula(Some(&getters)).unwrap_or_default(), Form::Statements)?;
    }
    check_object(&rest, "1", "", 0)
}

fn check_formula(text: &str, form: Form) -> Told {
    oscript::check(text, form).map_err(|wrong| {
        let place = wrong.place.map(|place| format!("\nparser error: {place}")).unwrap_or_default();
        format!("validation of formula {text} failed: {}{place}", wrong.error)
    })
}

/// Checks a value at a path; `name` is the field or the index it stands at.
fn check_value(value: &Value, name: &str, path: &str, depth: usize) -> Told {
    ensure(depth <= MAX_DEPTH, || "max depth reached".to_owned())?;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(_) => {
            let form = if path == "/messages/state" { Form::Statements } else { Form::Expression };
            formula(Some(value)).map_or(Ok(()), |text| check_formula(text, form))
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(index, item)| check_value(item, &index.to_string(), path, depth + 1))
        }
        Value::Object(fields) => match cases(Some(value)) {
            Some(cases) => check_cases(cases, name, path, depth),
            None => check_object(fields, name, path, depth),
        },
    }
}

/// Alternatives stand for the field itself, so they do not lengthen the path.
fn check_cases(cases: &[Value], name: &str, path: &str, depth: usize) -> Told {
    let path = path.strip_suffix(name).and_then(|path| path.strip_suffix('/')).unwrap_or(path);
    for (index, case) in cases.iter().enumerate() {
        let has_it = case.get(name).is_some();
        ensure(has_it, || format!("validate: case {index} has no field {name}"))?;
        check_value(case, &index.to_string(), path, depth + 1)?;
    }
    Ok(())
}

fn check_object(fields: &Map<String, Value>, name: &str, path: &str, depth: usize) -> Told {
    let mut fields = fields.clone();
    for (key, form) in [("if", Form::Expression), ("init", Form::Statements)] {
        let Some(Value::String(text)) = fields.get(key) else { continue };
        let inside = formula(fields.get(key)).ok_or_else(|| format!("{key} is not a formula: {text}"))?;
        check_formula(inside, form)?;
        fields.remove(key);
    }
    ensure(!fields.is_empty(), || format!("empty object in {name}"))?;
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by_cached_key(|(key, _)| js::utf16(key));
    for (key, value) in sorted {
        let name_formula = key.strip_prefix('{').and_then(|key| key.strip_suffix('}'));
        if let Some(text) = name_formula {
            check_formula(text, Form::Expression)?;
        }
        check_value(value, key, &format!("{path}/{key}"), depth + 1)?;
    }
    Ok(())
}
