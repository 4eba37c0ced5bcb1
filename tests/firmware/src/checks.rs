use std::fs;

use serde_json::json;

use crate::{
    figures::flash,
    machine::Machine,
    people::{DEPOSIT, Hand, People},
    report::{Failure, Report},
    talk::{Effort, Heard, Talk},
};

/// The channel's salt, and that of another.
const HERE: &str = "check";
const ELSEWHERE: &str = "elsewhere";
/// Two to this power is an instruction's time in nanoseconds, where instructions are counted.
const PACE: u32 = 7;
/// Instructions a millisecond at that pace.
const INSTRUCTIONS: u64 = 1_000_000 >> PACE;

/// What the lamp does, compared with what its pin does.
pub(crate) fn behaviour(report: &mut Report, machine: &Machine, firmware: &str) -> Result<Effort, Failure> {
    let people = People::new()?;
    let mut talk = Talk::start(machine, firmware, None)?;
    introduces_itself(report, &mut talk, &people)?;
    believes_only_the_owner(report, &mut talk, &people)?;
    lights_and_goes_dark(report, &mut talk, &people)?;
    stays_dark(report, &mut talk, &people)?;
    survives_nonsense(report, &mut talk, &people)?;
    let (effort, memory) = (talk.effort, talk.effort.memory());
    report.check(
        "the memory ever in use is below what the machine has",
        memory <= machine.memory as u64,
        &format!(
            "{memory} B of {}: static {}, heap {}, stack {}",
            machine.memory, effort.fixed, effort.heap, effort.stack
        ),
    );
    Ok(effort)
}

fn introduces_itself(report: &mut Report, talk: &mut Talk<'_>, people: &People) -> Result<(), Failure> {
    let said = talk.introduction.clone();
    if said["owner"] != people.owner().as_str() {
        let key = people.owner_key();
        return Err(format!("{said} is somebody else's lamp: build it with COINOP_LAMP_OWNER={key}").into());
    }
    report.check("the lamp says whose it is", said["v"] == 1 && said["price"] == 1_000, &said.to_string());
    let lit = talk.is_lit()?;
    report.check("it is dark at the start", !lit, &pin(lit));
    Ok(())
}

fn believes_only_the_owner(report: &mut Report, talk: &mut Talk<'_>, people: &People) -> Result<(), Failure> {
    let unknown = talk.pay(&people.package(Hand::Buyer, HERE, 500, 500)?)?;
    refused(
        report,
        talk,
        "a payment before the owner vouched",
        &unknown,
        "unknown channel",
        "wrong channel",
    )?;
    let stranger = talk.vouch(&people.word(false, 1)?)?;
    refused(
        report,
        talk,
        "a stranger's word",
        &stranger,
        "not signed by the owner",
        "not signed by the owner",
    )?;
    let owner = talk.vouch(&people.word(true, 1)?)?;
    let deposit = owner.answer["response"]["deposit"].as_u64();
    report.check("the owner's word opens the channel", deposit == Some(DEPOSIT), &owner.tell());
    let again = talk.vouch(&people.word(true, 1)?)?;
    refused(report, talk, "the owner's word a second time", &again, "word 1 comes after word 1", "word 1")
}

/// Three seconds of light, and everything that must not prolong them.
fn lights_and_goes_dark(report: &mut Report, talk: &mut Talk<'_>, people: &People) -> Result<(), Failure> {
    let good = talk.pay(&people.package(Hand::Buyer, HERE, 1_000, 1_000)?)?;
    let lit = talk.is_lit()?;
    report.check(
        "a valid package lights the lamp",
        good.lit && lit,
        &format!("{}, {}", good.tell(), pin(lit)),
    );
    let more = talk.pay(&people.package(Hand::Buyer, HERE, 2_000, 3_000)?)?;
    let lit = talk.is_lit()?;
    report.check("the next one keeps it on", !more.lit && lit, &format!("{}, {}", more.tell(), pin(lit)));

    let credit = "Payment amount is over your available credit.";
    let wrong_signer = format!("package signed by wrong address expected : {}", people.buyer());
    let cases = [
        ("an older package", people.package(Hand::Buyer, HERE, 1_000, 1_000)?, credit, "lower amount"),
        ("a lower amount", people.package(Hand::Buyer, HERE, 700, 2_500)?, credit, "lower amount"),
        (
            "a wrong channel",
            people.package(Hand::Buyer, ELSEWHERE, 100, 3_100)?,
            "unknown channel",
            "wrong channel",
        ),
        ("a wrong key", people.package(Hand::Stranger, HERE, 100, 3_100)?, &wrong_signer, "wrong key"),
        (
            "a forged name",
            people.package(Hand::Forger, HERE, 100, 3_100)?,
            "bad signature at path r",
            "bad signature",
        ),
        (
            "a high-s signature",
            people.package(Hand::Mirror, HERE, 100, 3_100)?,
            "bad signature at path r",
            "high s",
        ),
        (
            "more than the deposit",
            people.package(Hand::Buyer, HERE, 97_001, 100_001)?,
            "AA not funded enough.",
            "AA not funded",
        ),
    ];
    for (what, package, error, reason) in cases {
        let heard = talk.pay(&package)?;
        spoken(report, what, &heard, error, reason);
    }
    let replay = talk.pay(&people.package(Hand::Buyer, HERE, 2_000, 3_000)?)?;
    report.check("a replay buys nothing", is_replay(&more, &replay), &replay.tell());

    let (dark, until) = (talk.darkness()?, good.span.1 + 3_000);
    let lit = talk.is_lit()?;
    let seen = format!("paid until {until}, dark at {dark}, {}", pin(lit));
    report.check("the lamp goes dark when what was paid is used up", dark == until && !lit, &seen);
    Ok(())
}

fn stays_dark(report: &mut Report, talk: &mut Talk<'_>, people: &People) -> Result<(), Failure> {
    for (what, hand, payment, spent, error, reason) in [
        ("in the dark, a lower amount", Hand::Buyer, 700, 2_500, "Payment amount", "lower amount"),
        (
            "in the dark, a wrong key",
            Hand::Stranger,
            100,
            3_100,
            "package signed by wrong address",
            "wrong key",
        ),
        ("in the dark, a high-s signature", Hand::Mirror, 100, 3_100, "bad signature", "high s"),
    ] {
        let heard = talk.pay(&people.package(hand, HERE, payment, spent)?)?;
        refused(report, talk, what, &heard, error, reason)?;
    }
    let replay = talk.pay(&people.package(Hand::Buyer, HERE, 2_000, 3_000)?)?;
    let lit = talk.is_lit()?;
    let holds = replay.refusal().1.starts_with("replay") && !replay.lit && !lit;
    report.check("in the dark, a replay lights nothing", holds, &format!("{}, {}", replay.tell(), pin(lit)));
    Ok(())
}

/// Lines that are made to break a small machine; afterwards it still sells light.
fn survives_nonsense(report: &mut Report, talk: &mut Talk<'_>, people: &People) -> Result<(), Failure> {
    let wasteful = |part: &str| {
        let parts = part.repeat(900 / part.len());
        format!(r#"{{"command":"pay","params":{{"signed_package":[{parts}0]}},"tag":"1"}}"#).into_bytes()
    };
    let laden = people.laden()?;
    let without = |field: &str| -> Result<Vec<u8>, Failure> {
        let mut package = serde_json::to_value(&laden)?;
        package["signed_message"][field] = json!("none");
        let params = json!({ "signed_package": package });
        Ok(json!({ "command": "pay", "params": params, "tag": "1" }).to_string().into_bytes())
    };
    let lines = [
        ("a line of 3,000 bytes", vec![b'x'; 3_000], "the line is too long"),
        ("a thousand brackets", vec![b'['; 1_000], "the line has too many parts"),
        ("bytes that are no text", vec![0xFF; 1_000], "not a request"),
        ("a package of nothing but zeroes", wasteful("0,"), "the line has too many parts"),
        ("a package of nothing but objects", wasteful(r#"{"":0},"#), "the line has too many parts"),
        ("a laden package without a period", without("period")?, "bad signature at path r"),
        ("a laden package without an amount", without("amount_spent")?, "bad signature at path r"),
    ];
    for (what, line, error) in lines {
        let heard = talk.say(&line)?;
        refused(report, talk, what, &heard, error, "")?;
    }
    let good = talk.pay(&laden)?;
    let lit = talk.is_lit()?;
    report.check(
        "after all that it takes the largest package there can be",
        good.lit && lit,
        &format!("{}, {}", good.tell(), pin(lit)),
    );
    Ok(())
}

/// How many instructions it takes, and that the guard does not wait for them; told with the memory that
/// the worst of [`behaviour`] needed.
pub(crate) fn figures(
    report: &mut Report,
    machine: &Machine,
    firmware: &str,
    effort: Effort,
) -> Result<(), Failure> {
    let people = People::new()?;
    let mut talk = Talk::start(machine, firmware, Some(PACE))?;
    let word = talk.vouch(&people.word(true, 1)?)?;
    let first = talk.pay(&people.package(Hand::Buyer, HERE, 100, 100)?)?;
    talk.darkness()?;
    let held = talk.effort.heap_now;
    // At a byte a millisecond: light for half the time that a check takes.
    let light = first.took() / 2;
    goes_dark_in_between(report, &mut talk, &people, light)?;
    let last = talk.pay(&people.package(Hand::Buyer, HERE, 100, 8 * light + 200)?)?;
    let holds = talk.effort.heap_now;
    report.check(
        "payments leave nothing behind on the heap",
        holds <= held,
        &format!("{held} B, then {holds} B"),
    );

    let flash = flash(&fs::read(firmware)?)?;
    println!(
        "figures | {} | {} | {flash} | {} | {} | {} | {} | {:.1} | {:.1} | {:.1}",
        machine.target,
        machine.name,
        effort.fixed,
        effort.heap,
        effort.stack,
        effort.memory(),
        millions(&word),
        millions(&first),
        millions(&last),
    );
    Ok(())
}

/// A little light, and at once a signature that takes longer to check: the light does not
/// wait for it. Eight times, for now and then the wire is late.
fn goes_dark_in_between(
    report: &mut Report,
    talk: &mut Talk<'_>,
    people: &People,
    light: u64,
) -> Result<(), Failure> {
    let (mut busy, mut late) = (0, 0);
    let mut last = String::new();
    for round in 1..=8 {
        let spent = 100 + round * light;
        let both = [
            people.package(Hand::Buyer, HERE, light, spent)?,
            people.package(Hand::Forger, HERE, light, spent + light)?,
        ];
        let [lit, check] = talk.pay_twice(&both)?;
        let (dark, until) = (talk.darkness()?, lit.span.1 + light);
        busy += u32::from(check.span.0 < dark && dark < check.span.1);
        late += u32::from(dark != until);
        last =
            format!("paid until {until}, dark at {dark}, checking from {} to {}", check.span.0, check.span.1);
    }
    let seen = format!("late {late} times of 8, {busy} times while checking; {last}");
    report.check("the light goes out in time while a signature is checked", late == 0 && busy > 0, &seen);
    Ok(())
}

/// Instructions, in millions.
#[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
fn millions(heard: &Heard) -> f64 {
    (heard.took() * INSTRUCTIONS) as f64 / 1e6
}

fn is_replay(first: &Heard, again: &Heard) -> bool {
    first.answer["response"] == again.answer["response"]
        && again.refusal().1.starts_with("replay")
        && !again.lit
}

/// Checks that an offer was refused in these words.
fn spoken(report: &mut Report, what: &str, heard: &Heard, error: &str, reason: &str) {
    let said = heard.refusal();
    let holds = !heard.lit && !said.0.is_empty() && said.0.starts_with(error) && said.1.starts_with(reason);
    report.check(&format!("{what} is refused"), holds, &heard.tell());
}

/// The same, and that the pin stays low.
fn refused(
    report: &mut Report,
    talk: &mut Talk<'_>,
    what: &str,
    heard: &Heard,
    error: &str,
    reason: &str,
) -> Result<(), Failure> {
    let lit = talk.is_lit()?;
    spoken(report, what, heard, error, reason);
    report.check(&format!("{what} lights nothing"), !lit, &pin(lit));
    Ok(())
}

fn pin(lit: bool) -> String {
    format!("the pin is {}", if lit { "high" } else { "low" })
}
