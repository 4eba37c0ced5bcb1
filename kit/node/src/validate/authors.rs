//! Who signs, and whether they may.

use coinop_core::obyte::{address::Address, unit::hash_to_sign};
use serde_json::Value;

use super::{
    definition::{self, Terms},
    hashes,
    parents::Base,
    posted::{Posted, Standing},
    signatures::{self, Signed},
};
use crate::{
    dag::{Joint, Sequence},
    js,
    verdict::{Check, Verdict, ensure},
};

const MAX_AUTHORS: usize = 16;
const MAX_AUTHENTIFIER_LENGTH: usize = 4096;

/// Every author in turn; tells whether the unit competes with another one of theirs.
pub(super) fn check(posted: &Posted<'_>, base: &Base<'_>) -> Check<Standing> {
    let authors = posted.items("authors");
    ensure(authors.len() <= MAX_AUTHORS, "too many authors")?;
    let names: Vec<&str> = authors.iter().filter_map(|author| author.get("address")?.as_str()).collect();
    ensure(names.windows(2).all(|pair| pair[0] < pair[1]), "author addresses not sorted")?;
    let hash = hash_to_sign(&Value::Object(posted.unit.clone()));
    let hash = hash.map_err(|error| Verdict::unit(error.to_string()))?;
    let mut standing = Standing::default();
    for (author, address) in authors.iter().zip(posted.authors()) {
        check_author(&Author { posted, base, value: author, address, hash }, &mut standing)?;
    }
    Ok(standing)
}

struct Author<'a> {
    posted: &'a Posted<'a>,
    base: &'a Base<'a>,
    value: &'a Value,
    address: Address,
    hash: [u8; 32],
}

fn check_author(author: &Author<'_>, standing: &mut Standing) -> Check {
    let fields = author.value.as_object().ok_or_else(|| Verdict::unit("unknown fields in author"))?;
    let has_others = js::has_other_fields(fields, &["address", "authentifiers", "definition"]);
    ensure(!has_others, "unknown fields in author")?;
    check_authentifiers(author.value)?;
    check_signatures(author)?;
    let is_forked = note_competitors(author, standing);
    check_definition(author, is_forked)
}

fn check_authentifiers(author: &Value) -> Check {
    let authentifiers = js::nonempty_object(author.get("authentifiers"));
    let authentifiers = authentifiers.ok_or_else(|| Verdict::unit("no authentifiers"))?;
    for (_, authentifier) in js::fields(authentifiers) {
        let text = js::nonempty_text(Some(authentifier));
        let text = text.ok_or_else(|| Verdict::unit("authentifiers must be nonempty strings"))?;
        ensure(js::utf16_length(text) <= MAX_AUTHENTIFIER_LENGTH, "authentifier too long")?;
    }
    Ok(())
}

fn check_signatures(author: &Author<'_>) -> Check {
    let definition = definition_in_force(author)?;
    let authentifiers = js::nonempty_object(author.value.get("authentifiers"));
    let authentifiers = authentifiers.ok_or_else(|| Verdict::unit("no authentifiers"))?;
    let paths: Vec<&str> = js::fields(authentifiers).into_iter().map(|(path, _)| path).collect();
    definition::check(Terms::of_author(author.posted, author.base, &paths), definition)?;
    let signed = Signed {
        posted: author.posted,
        base: author.base,
        address: author.address,
        authentifiers,
        hash: author.hash,
    };
    ensure(signatures::verify(&signed, definition)?, "authentifier verification failed")
}

/// The definition that is shown, or else the one that was shown before.
fn definition_in_force<'a>(author: &'a Author<'_>) -> Check<&'a Value> {
    let shown = author.value.get("definition");
    if let Some(elements) = js::nonempty_array(shown) {
        let is_agent = elements.first().and_then(Value::as_str) == Some("autonomous agent");
        ensure(!is_agent, "AA cannot be defined in authors")?;
    }
    match shown {
        Some(definition) if js::nonempty_array(shown).is_some() => Ok(definition),
        Some(_) => Err(Verdict::unit("bad type of definition")),
        None => known_definition(author),
    }
}

fn known_definition<'a>(author: &'a Author<'_>) -> Check<&'a Value> {
    let (dag, address, mci) = (author.posted.dag, &author.address, author.base.mci);
    match dag.definition_of(address, mci) {
        Ok(definition) => Ok(&definition.definition),
        Err(_) if dag.agent(address, mci).is_some() => {
            Err(Verdict::transient("will not validate unit signed by AA"))
        }
        Err(chash) => Err(Verdict::unit(format!(
            "definition {chash} bound to address {address} not found before last ball"
        ))),
    }
}

/// Looks for units the author made aside of this one; tells whether there are any.
fn note_competitors(author: &Author<'_>, standing: &mut Standing) -> bool {
    let base = author.base;
    let is_aside = |joint: &&Joint| {
        joint.properties.mci.is_none_or(|mci| mci > base.reach)
            && joint.properties.sequence != Sequence::FinalBad
            && !author.posted.dag.is_included(&joint.facts.hash, &base.parents)
    };
    let competitors: Vec<&Joint> = author.posted.dag.units_of(&author.address).filter(is_aside).collect();
    if competitors.is_empty() {
        return false;
    }
    standing.forked.insert(author.address);
    standing.competitors.extend(competitors.iter().map(|joint| joint.facts.hash));
    let is_lost = competitors.iter().any(|joint| joint.properties.is_stable);
    standing.value = standing.value.max(if is_lost { Sequence::FinalBad } else { Sequence::TempBad });
    true
}

/// A definition is shown until it is stable, and not again.
fn check_definition(author: &Author<'_>, is_forked: bool) -> Check {
    let Some(shown) = author.value.get("definition") else { return Ok(()) };
    match author.posted.dag.definition_of(&author.address, author.base.mci) {
        Ok(_) => Err(Verdict::unit(format!(
            "duplicate definition of address {}, bNonserial={is_forked}",
            author.address
        ))),
        Err(chash) => {
            let own = Address::of_definition(shown).map_err(|error| {
                let why = hashes::fault_in(shown).unwrap_or_else(|| error.to_string());
                Verdict::unit(format!("definition hash failed: {why}"))
            })?;
            ensure(own == chash, format!("wrong definition: {own}!=={chash}"))
        }
    }
}
