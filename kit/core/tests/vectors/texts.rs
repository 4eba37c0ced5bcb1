//! How numbers and values become text.

use coinop_core::obyte::{
    canonical::{canonical_json, canonical_json_with_empties},
    hash::sha256_base64,
    length::length,
    number,
    source::{SourceError, source_string as source},
};
use coinop_tests::Case;

use crate::support::{NPM_ANSWER, compare_error, error_of, hex, parsed};

pub(crate) fn number_format(file: &Case<'_>) -> usize {
    file.each("cases", &[], |case| {
        let bits = u64::from_str_radix(case.text("ieee754_be_hex"), 16).unwrap();

        match number::format(f64::from_bits(bits)) {
            Ok(text) => case.compare("string", text),
            Err(error) => {
                let recorded = case.text("string");
                assert!(["NaN", "Infinity", "-Infinity"].contains(&recorded), "{recorded}: {error}");
            }
        }
    })
}

pub(crate) fn source_string(file: &Case<'_>) -> usize {
    file.each("cases", &[NPM_ANSWER], |case| {
        let Some(value) = parsed(case) else { return };

        compare_source(case, "source_string", source(&value));
    })
}

pub(crate) fn json_source_string(file: &Case<'_>) -> usize {
    file.each("cases", &[NPM_ANSWER], |case| {
        let Some(value) = parsed(case) else { return };

        compare_source(case, "json_source_string", canonical_json(&value));
        match (error_of(case.input("allow_empty")), canonical_json_with_empties(&value)) {
            (Some(recorded), computed) => compare_error(case, recorded, &computed.unwrap_err()),
            (None, computed) => case.compare("allow_empty", computed.unwrap()),
        }
    })
}

fn compare_source(case: &Case<'_>, key: &str, computed: Result<String, SourceError>) {
    match (case.optional("error"), computed) {
        (Some(recorded), computed) => compare_error(case, recorded, &computed.unwrap_err()),
        (None, computed) => {
            let text = computed.unwrap();
            case.compare("source_utf8_hex", hex(&text));
            case.compare("sha256_base64", sha256_base64(text.as_bytes()));
            case.compare(key, text);
        }
    }
}

pub(crate) fn object_length(file: &Case<'_>) -> usize {
    file.each("cases", &[], |case| {
        let Some(value) = parsed(case) else { return };

        case.compare("with_keys", length(&value, true));
        case.compare("without_keys", length(&value, false));
    })
}
