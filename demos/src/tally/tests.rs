use super::*;

/// A run told by hand.
#[derive(Default)]
struct Told {
    tally: Tally,
}

impl Told {
    fn then(mut self, at: u64, fact: Fact) -> Self {
        self.tally.update(&Notice { v: 1, at, who: "lamp".to_owned(), fact });
        self
    }

    /// A session `s` with steps of 10 B.
    fn a_session() -> Self {
        Self::default().then(0, session(SessionState::Running))
    }

    fn signed(self, session_total: u64) -> Self {
        self.then(
            1,
            Fact::Package {
                channel: "C".to_owned(),
                period: 1,
                session: "s".to_owned(),
                amount_spent: Bytes::new(session_total),
                payment_amount: Bytes::new(10),
                session_total: Bytes::new(session_total),
                signed_package: Value::Null,
            },
        )
    }

    fn paid(self, value: u64) -> Self {
        self.then(2, Fact::Paid { session: "s".to_owned(), value: Bytes::new(value) })
    }

    fn delivered(self, value: u64) -> Self {
        let session = "s".to_owned();
        self.then(3, Fact::Delivered { session, value: Bytes::new(value), units: value })
    }

    fn audited(self, money_conserved: bool) -> Self {
        self.then(4, Fact::Audit { money_conserved })
    }

    fn channel(self, period: u64, state: ChannelState) -> Self {
        let (channel, peer) = ("C".to_owned(), "alice".to_owned());
        self.then(5, Fact::Channel { channel, peer, period, state, deposited: Bytes::new(100) })
    }

    fn lamp(self, at: u64, level: Level) -> Self {
        self.then(at, Fact::Line { line: "LAMP".to_owned(), level })
    }
}

fn session(state: SessionState) -> Fact {
    Fact::Session {
        id: "s".to_owned(),
        thing: "lamp".to_owned(),
        buyer: "alice".to_owned(),
        channel: "C".to_owned(),
        step: Bytes::new(10),
        state,
    }
}

#[test]
fn both_exposures_are_the_largest_there_were() {
    let told = Told::a_session().signed(20).paid(20).delivered(27).delivered(29).signed(30).paid(30);

    let summary = told.tally.summary("light", 7, 0, &[]);

    let sessions = json!([{"id": "s", "step": 10, "max_buyer_exposure": 20, "max_seller_exposure": 9}]);
    assert_eq!(summary["summary"]["sessions"], sessions);
}

#[test]
fn more_at_risk_than_was_agreed_breaks_the_run() {
    let sound = Told::a_session().audited(true).signed(20).paid(20).delivered(30);
    let bold_seller = Told::a_session().audited(true).signed(20).paid(20).delivered(31);
    let bold_buyer = Told::a_session().audited(true).signed(30);

    assert_eq!(sound.tally.broken_invariants(0), Vec::<String>::new());
    for told in [bold_seller, bold_buyer] {
        let broken = told.tally.broken_invariants(0);
        assert!(matches!(broken.as_slice(), [what] if what.contains("session s")), "{broken:?}");
    }
}

#[test]
fn money_that_was_lost_once_stays_lost() {
    assert_eq!(Told::default().tally.money_conserved(), Some(false), "nobody looked");
    assert_eq!(Told::default().audited(true).audited(true).tally.money_conserved(), Some(true));
    assert_eq!(
        Told::default().audited(true).audited(false).audited(true).tally.money_conserved(),
        Some(false)
    );
    let mut elsewhere = Told::default().tally;
    elsewhere.books_are_elsewhere();
    assert_eq!(elsewhere.money_conserved(), None);
}

#[test]
fn a_light_without_a_lease_breaks_the_run() {
    let told = Told::default().audited(true);

    assert_eq!(told.tally.broken_invariants(3), ["outputs were on for 3 ms without a lease"]);
}

#[test]
fn a_payment_that_is_told_again_counts_once() {
    let told = Told::a_session().signed(20).paid(20).paid(20).signed(30).paid(30);

    assert_eq!((told.tally.payments, told.tally.paid()), (2, Bytes::new(30)));
}

#[test]
fn a_channel_counts_once_a_period_though_both_sides_tell_it() {
    use ChannelState::{Closed, Closing, Open, Opening, Punished};

    let told = Told::default()
        .channel(1, Opening)
        .channel(1, Open)
        .channel(1, Open)
        .channel(1, Closing)
        .channel(1, Closed)
        .channel(1, Closed)
        .channel(2, Open)
        .channel(2, Punished);

    let tally = told.tally;
    assert_eq!((tally.channels_opened(), tally.channels_closed(), tally.fraud_proofs()), (2, 2, 1));
}

#[test]
fn a_lamp_that_is_still_on_counts_up_to_now() {
    let mut told = Told::default()
        .lamp(0, Level::Low)
        .lamp(100, Level::High)
        .lamp(150, Level::Low)
        .lamp(200, Level::High);

    told.tally.settle(230);

    let lamp = told.tally.line("LAMP");
    assert_eq!((lamp.known, lamp.is_on, lamp.on_ms), (true, true, 80));
    assert!(!told.tally.line("LAMB").known);
}

#[test]
fn only_a_settled_session_is_settled() {
    let running = Told::a_session();
    assert_eq!(running.tally.settled(), 0);

    let settled = running.then(9, session(SessionState::Settled));

    assert_eq!(settled.tally.settled(), 1);
}
