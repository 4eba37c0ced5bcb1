//! Random evenings: two parties, or one and a cheater; a network that loses, repeats and reorders;
//! processes that die at any moment.

use std::collections::BTreeMap;

use coinop_core::{
    Bytes,
    channel::{Command, Event, Phase, Role, SessionId, SignedPackage},
};
use proptest::prelude::*;
use serde_json::json;

use crate::table::{BUYER, Party, SELLER, Table};

#[derive(Clone, Debug)]
enum Move {
    Deposit(usize, u64),
    Pay(usize, u8, u64),
    Owe(u8, u64),
    Close(usize),
    Deliver(usize),
    Lose(usize),
    Repeat(usize),
    Tell(usize),
    TellTwice(usize),
    Stabilise,
    Wait(u64),
    Restart(usize),
    DieBeforeActing(usize, u8, u64),
    Cheat(Cheat),
}

#[derive(Clone, Debug)]
enum Cheat {
    Replay(usize, u8),
    Forge(u64, u64, u64),
    CloseWith(u64),
    Deposit(u64),
    Confirm(u64),
    Prove(usize),
}

fn moves() -> impl Strategy<Value = Move> {
    let who = 0..2_usize;
    let at = 0..8_usize;
    prop_oneof![
        3 => (who.clone(), 1..2_000_000_u64).prop_map(|(who, amount)| Move::Deposit(who, amount)),
        8 => (who.clone(), 0..3_u8, 1..300_000_u64).prop_map(|(who, session, step)| Move::Pay(who, session, step)),
        1 => (0..3_u8, 1..100_000_u64).prop_map(|(session, amount)| Move::Owe(session, amount)),
        1 => who.clone().prop_map(Move::Close),
        8 => at.clone().prop_map(Move::Deliver),
        2 => at.clone().prop_map(Move::Lose),
        3 => at.clone().prop_map(Move::Repeat),
        8 => at.clone().prop_map(Move::Tell),
        2 => at.prop_map(Move::TellTwice),
        4 => Just(Move::Stabilise),
        2 => (1..30_u64).prop_map(Move::Wait),
        2 => who.clone().prop_map(Move::Restart),
        2 => (who, 0..3_u8, 1..300_000_u64).prop_map(|(who, session, step)| Move::DieBeforeActing(who, session, step)),
    ]
}

fn cheats() -> impl Strategy<Value = Move> {
    let cheat = prop_oneof![
        3 => (0..64_usize, 0..3_u8).prop_map(|(which, session)| Cheat::Replay(which, session)),
        3 => (0..3_u64, 1..400_000_u64, 1..400_000_u64).prop_map(|(p, pay, spent)| Cheat::Forge(p, pay, spent)),
        2 => (0..400_000_u64).prop_map(Cheat::CloseWith),
        1 => (10_001..500_000_u64).prop_map(Cheat::Deposit),
        2 => (0..50_000_u64).prop_map(Cheat::Confirm),
        1 => (0..16_usize).prop_map(Cheat::Prove),
    ];
    prop_oneof![4 => moves(), 1 => cheat.prop_map(Move::Cheat)]
}

fn session(table: &Table, who: usize, number: u8) -> SessionId {
    SessionId(format!("{}-{number}", table.channel(who).current_period()))
}

impl Move {
    /// The same with news told in their order.
    fn orderly(self) -> Self {
        match self {
            Self::Tell(_) => Self::Tell(0),
            Self::TellTwice(_) => Self::TellTwice(0),
            other => other,
        }
    }
}

/// Refusals are part of the game: the table checks that they change nothing.
fn make(table: &mut Table, step: Move) {
    match step {
        Move::Deposit(who, amount) => drop(table.ask(who, Command::Deposit { amount: Bytes::new(amount) })),
        Move::Pay(who, number, step) => pay(table, who, number, step),
        Move::Owe(number, amount) => {
            let session = session(table, SELLER, number);
            let total = table.channel(SELLER).tally(&session).owed.plus(Bytes::new(amount)).unwrap();
            drop(table.ask(SELLER, Command::Owe { session, amount: total }));
        }
        Move::Close(who) => drop(table.ask(who, Command::Close)),
        Move::Deliver(index) if index < table.wire.len() => drop(table.deliver(index)),
        Move::Lose(index) if index < table.wire.len() => drop(table.wire.remove(index)),
        Move::Repeat(index) if index < table.wire.len() => {
            let again = table.wire[index].clone();
            table.wire.push(again);
        }
        Move::Tell(index) if index < table.news.len() => {
            let (who, news) = table.news.remove(index);
            table.ask(who, news).unwrap();
        }
        Move::TellTwice(index) if index < table.news.len() => {
            let (who, news) = table.news[index].clone();
            table.ask(who, news).unwrap();
        }
        Move::Deliver(_) | Move::Lose(_) | Move::Repeat(_) | Move::Tell(_) | Move::TellTwice(_) => {}
        Move::Stabilise => table.stabilise(),
        Move::Wait(seconds) => wait(table, seconds),
        Move::Restart(who) => table.restart(who),
        Move::DieBeforeActing(who, number, step) => {
            table.is_dying = true;
            pay(table, who, number, step);
            table.is_dying = false;
            table.restart(who);
        }
        Move::Cheat(cheat) => make_cheat(table, &cheat),
    }
}

fn pay(table: &mut Table, who: usize, number: u8, step: u64) {
    let session = session(table, who, number);
    let up_to = table.channel(who).tally(&session).paid.plus(Bytes::new(step)).unwrap();
    drop(table.ask(who, Command::Pay { session, up_to }));
}

/// The ledger is neither deaf nor slow against whole seconds.
fn wait(table: &mut Table, seconds: u64) {
    while !table.news.is_empty() || !table.ledger.is_empty() {
        if table.news.is_empty() {
            table.stabilise();
        } else {
            let (who, news) = table.news.remove(0);
            table.ask(who, news).unwrap();
        }
    }
    table.wait(seconds);
}

fn make_cheat(table: &mut Table, cheat: &Cheat) {
    let buyer = table.address(BUYER);
    let period = table.channel(SELLER).current_period();
    match *cheat {
        Cheat::Replay(which, number) => {
            let Some(package) = table.every_package.get(which).cloned() else { return };
            let session = Some(session(table, SELLER, number));
            drop(table.ask(SELLER, Command::Receive { tag: "replay".into(), package, session }));
        }
        Cheat::Forge(ahead, payment, spent) => {
            let package = table.sign(BUYER, (period + ahead).saturating_sub(1), payment, spent);
            let session = Some(session(table, SELLER, 7));
            drop(table.ask(SELLER, Command::Receive { tag: "forged".into(), package, session }));
        }
        Cheat::CloseWith(spent) => {
            let data = json!({ "close": 1, "period": period, "transferredFromMe": spent });
            table.post_by_hand(buyer, 10_000, Some(data));
        }
        Cheat::Deposit(amount) => table.post_by_hand(buyer, amount, None),
        Cheat::Confirm(additional) => {
            let data = json!({ "confirm": 1, "period": period, "additionalTransferredFromMe": additional });
            table.post_by_hand(buyer, 10_000, Some(data));
        }
        Cheat::Prove(which) => {
            // Not one of his own: see the attack in which he proves his own fraud.
            let of_seller = |package: &&SignedPackage| package.signer != buyer;
            let Some(package) = table.every_package.iter().filter(of_seller).nth(which) else { return };
            let data = json!({ "fraud_proof": 1, "period": period, "sentByPeer": package });
            table.post_by_hand(buyer, 10_000, Some(data));
        }
    }
}

/// Whatever was played, the seller goes home with the channel closed.
fn go_home(table: &mut Table) {
    for who in [SELLER, BUYER] {
        table.restart(who);
    }
    for _ in 0..12 {
        wait(table, 30);
        if matches!(table.channel(SELLER).phase(), Phase::Open) {
            table.ask(SELLER, Command::Close).unwrap();
        }
    }
    assert_eq!(table.channel(SELLER).phase(), Phase::Closed);
    assert!(table.ledger.is_empty() && table.news.is_empty());
}

fn events(party: &Party) -> Vec<Event> {
    party.journal.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn nothing_is_lost_or_made(table: &Table) {
    let paid_out: u64 = table.agent.paid_out.values().sum();
    assert_eq!(table.agent.received, table.agent.held + paid_out);
    // A trigger that came too late for its period stays for the next one.
    assert_eq!(table.agent.held % 10_000, 0, "a closed agent holds only what bounced");
    assert_eq!(table.agent.deposits(), 0);
}

fn no_total_is_signed_twice(table: &Table) {
    let mut signed = BTreeMap::new();
    for package in &table.every_package {
        let name = (package.signer, package.message.period, package.message.amount_spent);
        assert_eq!(signed.entry(name).or_insert(package), &package);
    }
}

fn evidence_only_grows(party: &Party) {
    let mut newest = (0, Bytes::ZERO);
    for event in events(party) {
        if let Event::Received { package, .. } = event {
            let this = (package.message.period, package.message.amount_spent);
            assert!(newest <= this, "{newest:?} then {this:?}");
            newest = this;
        }
    }
}

/// What came in (or is given back) and what was signed away, against what the agent paid; only the
/// 10,000 bytes of each posting may be on the other side.
fn collects_what_it_is_due(table: &Table, who: usize) {
    let party = &table.parties[who];
    let (mut credited, mut signed) = (0, 0);
    let mut owed: BTreeMap<SessionId, u64> = BTreeMap::new();
    for event in events(party) {
        if let Event::Received { package, .. } = event {
            credited += package.message.payment_amount.get();
        } else if let Event::Paid { package, .. } = event {
            signed += package.payment_amount.get();
        } else if let Event::Owed { session, total, .. } = event {
            owed.insert(session, total.get());
        }
    }
    let due = credited + party.sent_to_agent;
    let given = signed + owed.values().sum::<u64>() + 10_000 * u64::try_from(party.posts.len()).unwrap();
    let paid = table.agent.paid_to(party.signer.address());
    assert!(paid + given >= due, "{} got {paid}, is due {due} less {given}", party.role);
}

fn every_lie_is_punished(table: &Table) {
    let seller = &table.parties[SELLER];
    let mut proven = BTreeMap::<u64, Bytes>::new();
    let mut lied = None;
    for event in events(seller) {
        if let Event::Received { package, .. } = event {
            proven.insert(package.message.period, package.message.amount_spent);
        } else if let Event::ClosingBegan { period, by: Role::Buyer, spent_peer, .. } = event {
            lied = proven.get(&period).is_some_and(|proven| spent_peer < *proven).then_some(period);
        } else if let Event::Closed { period, outcome, .. } = event
            && lied == Some(period)
        {
            assert_eq!(outcome.fraud_proven_by, Some(seller.signer.address()));
            assert_eq!(outcome.peer, Bytes::ZERO);
        }
    }
}

fn parties_agree(table: &Table) {
    for (period, outcome) in &table.parties[SELLER].outcomes {
        let theirs = table.parties[BUYER].outcomes[period];
        assert_eq!((outcome.mine, outcome.peer), (theirs.peer, theirs.mine));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn honest_parties_get_their_own(deposit in 100_000..2_000_000_u64, evening in prop::collection::vec(moves(), 0..120), is_orderly: bool) {
        let mut table = Table::open(deposit);

        for step in evening {
            make(&mut table, if is_orderly { step.orderly() } else { step });
        }
        go_home(&mut table);

        nothing_is_lost_or_made(&table);
        no_total_is_signed_twice(&table);
        if is_orderly {
            parties_agree(&table);
        }
        for who in [SELLER, BUYER] {
            evidence_only_grows(&table.parties[who]);
            collects_what_it_is_due(&table, who);
        }
        every_lie_is_punished(&table);
    }

    #[test]
    fn a_cheater_takes_nothing_from_an_honest_seller(deposit in 100_000..2_000_000_u64, evening in prop::collection::vec(cheats(), 0..120)) {
        let mut table = Table::open(deposit);

        for step in evening {
            make(&mut table, step);
        }
        go_home(&mut table);

        nothing_is_lost_or_made(&table);
        evidence_only_grows(&table.parties[SELLER]);
        collects_what_it_is_due(&table, SELLER);
        every_lie_is_punished(&table);
    }
}
