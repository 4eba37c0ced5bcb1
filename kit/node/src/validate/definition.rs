//! Whether a definition of an address, or a condition of an asset, is well formed.

use serde_json::{Map, Value};

use super::{lookups, lookups::is_address, parents::Base, posted::Posted};
use crate::{
    dag::{Definition, Sequence},
    js,
    verdict::{Check, Verdict, ensure},
};

const MAX_COMPLEXITY: usize = 100;
const MAX_OPERATIONS: usize = 2000;
const MAX_WEIGHT: u64 = 1000;
const PUBKEY_LENGTH: usize = 44;
const HASH_LENGTH: usize = 44;

/// What a definition is read for.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) posted: &'a Posted<'a>,
    pub(super) base: &'a Base<'a>,
    pub(super) purpose: Purpose<'a>,
}

/// What is being defined.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// An address, with the paths that are signed.
    Address(&'a [&'a str]),
    /// When an asset may be issued or sent; and whether the asset is private.
    Asset {
        /// Whether the asset that is being defined is private.
        is_private: bool,
    },
}

impl<'a> Terms<'a> {
    pub(super) fn of_author(posted: &'a Posted<'a>, base: &'a Base<'a>, paths: &'a [&'a str]) -> Self {
        Self { posted, base, purpose: Purpose::Address(paths) }
    }

    pub(super) fn is_asset(&self) -> bool {
        match self.purpose {
            Purpose::Address(_) => false,
            Purpose::Asset { .. } => true,
        }
    }

    fn is_signed_below(&self, path: &str) -> bool {
        match self.purpose {
            Purpose::Address(paths) => paths.iter().any(|signed| signed.starts_with(path)),
            Purpose::Asset { .. } => true,
        }
    }
}

/// Checks a definition, and that every way to satisfy it needs a signature.
pub(super) fn check(terms: Terms<'_>, definition: &Value) -> Check {
    let mut reader = Reader { terms, complexity: 0, operations: 0 };
    let has_signature = reader.read(definition, "r", Polarity::Plain)?;
    ensure(has_signature || terms.is_asset(), "each branch must have a signature")?;
    ensure(reader.complexity <= MAX_COMPLEXITY, "complexity exceeded")?;
    ensure(reader.operations <= MAX_OPERATIONS, "number of ops exceeded")
}

/// The definition an address goes by: the stable one, or else the one a co-author shows in this unit.
pub(super) fn inner_definition<'a>(
    posted: &Posted<'a>,
    base: &Base<'a>,
    name: &str,
) -> Check<Option<&'a Value>> {
    use coinop_core::obyte::address::Address;
    let Ok(address) = name.parse::<Address>() else { return Ok(None) };
    let chash = match posted.dag.definition_of(&address, base.mci) {
        Ok(Definition { definition, .. }) => return Ok(Some(definition)),
        Err(chash) => chash,
    };
    for author in posted.items("authors") {
        let is_it = author.get("address").and_then(Value::as_str) == Some(name);
        let Some(shown) = author.get("definition").filter(|_| is_it) else { continue };
        let own = Address::of_definition(shown).map_err(|error| {
            Verdict::unit(format!("failed to calc definition hash of co-author {name}: {error}"))
        })?;
        if own == chash {
            return Ok(Some(shown));
        }
    }
    Ok(None)
}

/// The template a stable unit holds, with its variables filled in.
pub(super) fn filled_template(posted: &Posted<'_>, base: &Base<'_>, args: &[Value]) -> Check<Value> {
    let unit = args.first().and_then(super::posted::hash).and_then(|unit| posted.dag.joint(&unit));
    let unit = unit.filter(|joint| {
        let place = &joint.properties;
        place.is_stable && place.sequence == Sequence::Good && base.covers(place.mci)
    });
    let messages = unit.and_then(|joint| joint.unit.get("messages")?.as_array());
    let mut templates = messages.into_iter().flatten().filter_map(|message| {
        let is_template = message.get("app").and_then(Value::as_str) == Some("definition_template");
        message.get("payload").filter(|_| is_template)
    });
    match (templates.next(), templates.next()) {
        (Some(template), None) => fill(template, template, args.get(1).unwrap_or(&Value::Null)),
        (None, _) | (_, Some(_)) => Err(Verdict::unit("template not found or too many")),
    }
}

fn fill(value: &Value, template: &Value, params: &Value) -> Check<Value> {
    match value {
        Value::String(text) => match text.strip_prefix('$') {
            None => Ok(value.clone()),
            Some(name) => params.get(name).cloned().ok_or_else(|| {
                let (template, params) = (js::stringify(template), js::stringify(params));
                Verdict::unit(format!("variable {name} not specified, template {template}, params {params}"))
            }),
        },
        Value::Array(items) => items.iter().map(|item| fill(item, template, params)).collect(),
        Value::Object(map) => {
            let filled = map.iter().map(|(key, value)| Ok((key.clone(), fill(value, template, params)?)));
            Ok(Value::Object(filled.collect::<Check<Map<_, _>>>()?))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Polarity {
    Plain,
    Negated,
}

struct Reader<'a> {
    terms: Terms<'a>,
    complexity: usize,
    operations: usize,
}

impl Reader<'_> {
    /// Reads an expression and tells whether it cannot be satisfied without a signature.
    fn read(&mut self, expression: &Value, path: &str, polarity: Polarity) -> Check<bool> {
        self.complexity += 1;
        self.operations += 1;
        ensure(self.complexity <= MAX_COMPLEXITY, format!("complexity exceeded at {path}"))?;
        ensure(self.operations <= MAX_OPERATIONS, format!("number of ops exceeded at {path}"))?;
        let pair = js::array_of(Some(expression), 2);
        let [operator, args] = pair.unwrap_or_default() else {
            return Err(Verdict::unit("expression must be 2-element array"));
        };
        let operator = operator.as_str().ok_or_else(|| Verdict::unit("op is not a string"))?;
        match operator {
            "or" | "and" => self.read_all(operator, args, path, polarity),
            "r of set" => self.read_set(operator, args, path, polarity),
            "weighted and" => self.read_weighted(operator, args, path, polarity),
            "sig" => self.read_sig(operator, args, polarity),
            "hash" => self.read_hash(operator, args, polarity),
            "address" => self.read_address(operator, args, path, polarity),
            "definition template" => self.read_template(operator, args, path, polarity),
            "not" => self.read(args, path, Polarity::Negated),
            "cosigned by" => {
                Self::not_negated(operator, polarity)?;
                ensure(is_address(args), "invalid cosigner address").map(|()| false)
            }
            "in merkle" => {
                self.only_for_addresses(operator, polarity)?;
                self.complexity += lookups::check_merkle(operator, args)?;
                Ok(false)
            }
            "in data feed" => {
                self.complexity += lookups::check_data_feed(operator, args)?;
                Ok(false)
            }
            _ => lookups::check(&self.terms, operator, args).map(|()| false),
        }
    }

    fn read_all(&mut self, operator: &str, args: &Value, path: &str, polarity: Polarity) -> Check<bool> {
        let args = args.as_array().ok_or_else(|| Verdict::unit(format!("{operator} args must be array")))?;
        ensure(args.len() >= 2, format!("{operator} must have at least 2 options"))?;
        let signed = self.count_signed(args.iter(), path, polarity)?;
        Ok(if operator == "and" { signed > 0 } else { signed == args.len() })
    }

    fn count_signed<'b>(
        &mut self,
        args: impl Iterator<Item = &'b Value>,
        path: &str,
        polarity: Polarity,
    ) -> Check<usize> {
        let mut signed = 0;
        for (index, arg) in args.enumerate() {
            signed += usize::from(self.read(arg, &format!("{path}.{index}"), polarity)?);
        }
        Ok(signed)
    }

    fn read_set(&mut self, operator: &str, args: &Value, path: &str, polarity: Polarity) -> Check<bool> {
        let (required, set) = required_and_set(operator, args, u64::MAX)?;
        ensure(required <= set.len() as u64, "required must be <= than set length")?;
        let signed = self.count_signed(set.iter(), path, polarity)?;
        Ok(required > (set.len() - signed) as u64)
    }

    fn read_weighted(&mut self, operator: &str, args: &Value, path: &str, polarity: Polarity) -> Check<bool> {
        let (required, set) = required_and_set(operator, args, MAX_WEIGHT)?;
        let (mut unsigned, mut total) = (0, 0);
        for (index, element) in set.iter().enumerate() {
            let fields = js::nonempty_object(Some(element));
            let fields =
                fields.ok_or_else(|| Verdict::unit("weighted set element must be a non-empty object"))?;
            let has_others = js::has_other_fields(fields, &["value", "weight"]);
            ensure(!has_others, "unknown fields in weighted set element")?;
            let weight = js::positive(fields.get("weight"));
            let weight = weight.ok_or_else(|| Verdict::unit("weight must be positive int"))?;
            ensure(weight <= MAX_WEIGHT, format!("weight must be <= {MAX_WEIGHT}"))?;
            total += weight;
            let value = fields.get("value").unwrap_or(&Value::Null);
            if !self.read(value, &format!("{path}.{index}"), polarity)? {
                unsigned += weight;
            }
        }
        ensure(required <= total, "required must be <= than total weight")?;
        Ok(required > unsigned)
    }

    fn read_sig(&self, operator: &str, args: &Value, polarity: Polarity) -> Check<bool> {
        self.only_for_addresses(operator, polarity)?;
        let fields = object(operator, args, &["algo", "pubkey"])?;
        check_algorithm(fields, "secp256k1", "unsupported sig algo")?;
        ensure(js::text_of(fields.get("pubkey"), PUBKEY_LENGTH).is_some(), "wrong pubkey length")?;
        Ok(true)
    }

    fn read_hash(&self, operator: &str, args: &Value, polarity: Polarity) -> Check<bool> {
        self.only_for_addresses(operator, polarity)?;
        let fields = object(operator, args, &["algo", "hash"])?;
        check_algorithm(fields, "sha256", "unsupported hash algo")?;
        ensure(js::base64_of(fields.get("hash"), HASH_LENGTH).is_some(), "wrong base64 hash")?;
        Ok(false)
    }

    fn read_address(&mut self, operator: &str, args: &Value, path: &str, polarity: Polarity) -> Check<bool> {
        self.only_for_addresses(operator, polarity)?;
        ensure(is_address(args), "invalid address")?;
        let inner = inner_definition(self.terms.posted, self.terms.base, args.as_str().unwrap_or_default())?;
        match inner {
            Some(inner) if self.terms.is_signed_below(path) => self.read(inner, path, polarity),
            Some(_) | None => Ok(true),
        }
    }

    fn read_template(&mut self, operator: &str, args: &Value, path: &str, polarity: Polarity) -> Check<bool> {
        let pair = js::array_of(Some(args), 2);
        let pair = pair.ok_or_else(|| Verdict::unit(format!("2-element array expected in {operator}")))?;
        ensure(
            js::base64_of(pair.first(), HASH_LENGTH).is_some(),
            "unit must be a valid base64 string 44 bytes long",
        )?;
        let params = js::nonempty_object(pair.get(1));
        let params = params.ok_or_else(|| Verdict::unit("params must be non-empty object"))?;
        let all_plain = params.values().all(|param| param.is_string() || param.is_number());
        ensure(all_plain, "each param must be string or number")?;
        let filled = filled_template(self.terms.posted, self.terms.base, pair)?;
        self.read(&filled, path, polarity)
    }

    fn not_negated(operator: &str, polarity: Polarity) -> Check {
        ensure(polarity == Polarity::Plain, format!("{operator} cannot be negated"))
    }

    fn only_for_addresses(&self, operator: &str, polarity: Polarity) -> Check {
        Self::not_negated(operator, polarity)?;
        ensure(!self.terms.is_asset(), format!("asset condition cannot have {operator}"))
    }
}

fn required_and_set<'a>(operator: &str, args: &'a Value, most: u64) -> Check<(u64, &'a [Value])> {
    let fields = object(operator, args, &["required", "set"])?;
    let required = js::positive(fields.get("required"));
    let required = required.ok_or_else(|| Verdict::unit("required must be positive"))?;
    ensure(required <= most, format!("required must be <= {most}"))?;
    let set = fields.get("set").and_then(Value::as_array);
    let set = set.ok_or_else(|| Verdict::unit("set must be array"))?;
    ensure(set.len() >= 2, "set must have at least 2 options")?;
    Ok((required, set))
}

fn object<'a>(operator: &str, args: &'a Value, known: &[&str]) -> Check<&'a Map<String, Value>> {
    let fields = js::nonempty_object(Some(args));
    let fields =
        fields.ok_or_else(|| Verdict::unit(format!("{operator} args must be a non-empty object")))?;
    ensure(!js::has_other_fields(fields, known), format!("unknown fields in {operator}"))?;
    Ok(fields)
}

fn check_algorithm(fields: &Map<String, Value>, usual: &str, unsupported: &str) -> Check {
    match fields.get("algo") {
        None => Ok(()),
        Some(algorithm) if algorithm.as_str() == Some(usual) => {
            Err(Verdict::unit("default algo must not be explicitly specified"))
        }
        Some(_) => Err(Verdict::unit(unsupported)),
    }
}
