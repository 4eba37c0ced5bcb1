//! Whether a definition is satisfied by what a unit carries.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use coinop_core::obyte::{
    address::Address,
    hash::sha256_base64,
    key::{PublicKey, Signature},
};
use serde_json::{Map, Value};

use super::{
    definition::{filled_template, inner_definition},
    parents::Base,
    posted::Posted,
};
use crate::{
    dag::{Joint, Sequence},
    js,
    verdict::{Check, Verdict},
};

/// Reads base64 as hubs do: padding and stray bits do not matter.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What an author signed, and with what.
pub(super) struct Signed<'a> {
    pub(super) posted: &'a Posted<'a>,
    pub(super) base: &'a Base<'a>,
    pub(super) address: Address,
    pub(super) authentifiers: &'a Map<String, Value>,
    pub(super) hash: [u8; 32],
}

/// Whether the authentifiers satisfy the definition; each has to be used, and none may be wrong.
pub(super) fn verify(signed: &Signed<'_>, definition: &Value) -> Check<bool> {
    let mut evaluation = Evaluation { signed, used: Vec::new(), fatal: None };
    let is_satisfied = evaluation.evaluate(definition, "r")?;
    if let Some(fatal) = evaluation.fatal {
        return Err(Verdict::unit(fatal));
    }
    if evaluation.used.len() != signed.authentifiers.len() {
        return Err(Verdict::unit(format!(
            "some authentifiers are not used, res={is_satisfied}, used={}, passed={}",
            evaluation.used.join(","),
            js::stringify(&Value::Object(signed.authentifiers.clone()))
        )));
    }
    Ok(is_satisfied)
}

struct Evaluation<'a> {
    signed: &'a Signed<'a>,
    used: Vec<String>,
    /// The last thing that was plainly wrong, whatever else holds.
    fatal: Option<String>,
}

impl Evaluation<'_> {
    /// Evaluates all branches, so that a wrong signature cannot hide in one that is not needed.
    fn evaluate(&mut self, expression: &Value, path: &str) -> Check<bool> {
        let (operator, args) = (expression[0].as_str().unwrap_or_default(), &expression[1]);
        match operator {
            "or" => Ok(self.evaluate_all(args, path)?.into_iter().any(|holds| holds)),
            "and" => Ok(self.evaluate_all(args, path)?.into_iter().all(|holds| holds)),
            "r of set" => {
                let count = self.evaluate_all(&args["set"], path)?.into_iter().filter(|holds| *holds).count();
                Ok(count as u64 >= js::nonnegative(args.get("required")).unwrap_or(u64::MAX))
            }
            "weighted and" => self.evaluate_weighted(args, path),
            "sig" => Ok(self.evaluate_sig(args, path)),
            "hash" => Ok(self.evaluate_hash(args, path)),
            "address" => self.evaluate_address(args, path),
            "definition template" => {
                let args = args.as_array().map_or(&[][..], Vec::as_slice);
                let filled = filled_template(self.signed.posted, self.signed.base, args)?;
                self.evaluate(&filled, path)
            }
            "not" => Ok(!self.evaluate(args, path)?),
            _ => self.look_up(operator, args),
        }
    }

    fn evaluate_all(&mut self, args: &Value, path: &str) -> Check<Vec<bool>> {
        let args = args.as_array().map_or(&[][..], Vec::as_slice);
        args.iter().enumerate().map(|(index, arg)| self.evaluate(arg, &format!("{path}.{index}"))).collect()
    }

    fn evaluate_weighted(&mut self, args: &Value, path: &str) -> Check<bool> {
        let mut weight = 0;
        for (index, element) in args["set"].as_array().into_iter().flatten().enumerate() {
            if self.evaluate(&element["value"], &format!("{path}.{index}"))? {
                weight += js::nonnegative(element.get("weight")).unwrap_or_default();
            }
        }
        Ok(weight >= js::nonnegative(args.get("required")).unwrap_or(u64::MAX))
    }

    fn authentifier(&mut self, path: &str) -> Option<String> {
        let authentifier = self.signed.authentifiers.get(path)?.as_str()?.to_owned();
        self.used.push(path.to_owned());
        Some(authentifier)
    }

    fn evaluate_sig(&mut self, args: &Value, path: &str) -> bool {
        let Some(signature) = self.authentifier(path) else { return false };
        let pubkey = args["pubkey"].as_str().unwrap_or_default();
        let is_right = verify_signature(&self.signed.hash, &signature, pubkey);
        if !is_right {
            self.fatal = Some(format!("bad signature at path {path}"));
        }
        is_right
    }

    fn evaluate_hash(&mut self, args: &Value, path: &str) -> bool {
        let Some(preimage) = self.authentifier(path) else { return false };
        let is_right = args["hash"].as_str() == Some(&sha256_base64(preimage.as_bytes()));
        if !is_right {
            self.fatal = Some(format!("bad hash at path {path}"));
        }
        is_right
    }

    fn evaluate_address(&mut self, args: &Value, path: &str) -> Check<bool> {
        if !self.signed.authentifiers.keys().any(|signed| signed.starts_with(path)) {
            return Ok(false);
        }
        let name = args.as_str().unwrap_or_default();
        match inner_definition(self.signed.posted, self.signed.base, name)? {
            Some(inner) => self.evaluate(inner, path),
            None => Ok(false),
        }
    }

    fn look_up(&self, operator: &str, args: &Value) -> Check<bool> {
        let Signed { posted, base, .. } = self.signed;
        match operator {
            "cosigned by" => {
                let name = args.as_str();
                Ok(posted.items("authors").iter().any(|author| author["address"].as_str() == name))
            }
            "seen address" => Ok(self.units_of(args).next().is_some()),
            "seen definition change" => Ok(self.has_changed_definition(args)),
            "mci" => Ok(compare(args, base.mci)),
            "timestamp" => Ok(compare(args, base.last_ball.facts.timestamp)),
            // Well formed, but it asks for what this node does not keep an account of.
            _ => Err(Verdict::transient(format!("this node does not evaluate {operator} in definitions"))),
        }
    }

    /// The stable good units of an address up to the last ball.
    fn units_of(&self, address: &Value) -> impl Iterator<Item = &Joint> {
        let Signed { posted, base, .. } = self.signed;
        let address = address.as_str().and_then(|name| name.parse::<Address>().ok());
        let units = address.map(|address| posted.dag.units_of(&address).collect::<Vec<_>>());
        units.into_iter().flatten().filter(|joint| {
            let place = &joint.properties;
            place.is_stable && place.sequence == Sequence::Good && base.covers(place.mci)
        })
    }

    fn has_changed_definition(&self, args: &Value) -> bool {
        let own = Value::from(self.signed.address.to_string());
        let named = |index: usize| if args[index] == "this address" { &own } else { &args[index] };
        let (address, chash) = (named(0), named(1));
        self.units_of(address).any(|joint| {
            let is_sole = joint.facts.authors.len() == 1;
            joint.unit["messages"].as_array().into_iter().flatten().any(|message| {
                let payload = &message["payload"];
                message["app"] == "address_definition_change"
                    && (is_sole || payload["address"] == *address)
                    && (*chash == "any" || payload["definition_chash"] == *chash)
            })
        })
    }
}

fn compare(args: &Value, own: u64) -> bool {
    let Some(other) = js::nonnegative(args.get(1)) else { return false };
    match args[0].as_str() {
        Some(">") => own > other,
        Some(">=") => own >= other,
        Some("<") => own < other,
        Some("<=") => own <= other,
        Some("=") => own == other,
        Some("!=") => own != other,
        Some(_) | None => false,
    }
}

fn verify_signature(hash: &[u8; 32], signature: &str, pubkey: &str) -> bool {
    let signature = decode(signature).and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    let pubkey = decode(pubkey).and_then(|bytes| <[u8; 33]>::try_from(bytes).ok());
    let (Some(signature), Some(pubkey)) = (signature, pubkey) else { return false };
    PublicKey::from_bytes(&pubkey).is_ok_and(|key| key.verify(hash, &Signature::from_bytes(signature)))
}

/// Decodes base64 as hubs do: the other alphabet counts too, strange characters do not, `=` ends it.
fn decode(text: &str) -> Option<Vec<u8>> {
    let plain =
        text.chars().take_while(|character| *character != '=').filter_map(|character| match character {
            '-' => Some('+'),
            '_' => Some('/'),
            '+' | '/' => Some(character),
            other => other.is_ascii_alphanumeric().then_some(other),
        });
    LENIENT.decode(plain.collect::<String>()).ok()
}
