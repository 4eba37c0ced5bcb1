//! The fold: what each notice changes. Told twice or late, a state never goes back.

use coinop_core::board::Direction;

use crate::{
    notice::{ChannelState, Fact, LinkState, Notice, SessionState, ThingLine},
    tui::words::{NAME_MAX, clip, money},
};

use super::{
    LINKS_MAX, Model,
    parts::{LINES_MAX, Line, Link},
    story::Tone,
    table::Row,
};

impl Model {
    /// Folds a notice in.
    pub fn update(&mut self, notice: &Notice) {
        let Notice { v: _, at, who, fact } = notice;
        self.changed = true;
        let at = *at;
        match fact {
            Fact::Party { address, role } => self.party(who, address, role),
            Fact::Thing { thing, service, lines } => self.thing(who, thing, service, lines),
            Fact::Link { one, other, state } => self.link(at, one, other, *state),
            Fact::Audit { money_conserved } => self.audit(at, *money_conserved),
            Fact::Unit { joint: _ } => self.totals.units = self.totals.units.saturating_add(1),
            Fact::Stable { unit: _ } | Fact::Receipt { .. } => {}
            Fact::Listing { thing, service, step } => self.listing(at, thing, service, step.get()),
            Fact::Session { id, thing, buyer, channel, step, state } => {
                self.session(at, id, &Deal { thing, buyer, channel, step: step.get() }, *state);
            }
            Fact::Channel { channel, peer, period, state, deposited } => {
                self.channel(at, channel, (who, peer), (*period, *state), deposited.get());
            }
            Fact::Package {
                channel,
                period,
                session,
                amount_spent,
                payment_amount: _,
                session_total,
                signed_package: _,
            } => self.package(channel, *period, session, (amount_spent.get(), session_total.get())),
            Fact::Paid { session, value } => self.paid(at, session, value.get()),
            Fact::Delivered { session, value, units } => self.delivered(at, session, value.get(), *units),
            Fact::Lease { line, until } => self.lease(who, line, *until),
            Fact::Line { line, level } => self.line(at, who, line, *level),
            Fact::Exposure { session, buyer, seller } => {
                self.exposure(at, session, buyer.get(), seller.get());
            }
            Fact::Balance { stable, pending } => {
                self.wallets.row(who).holds = Some((stable.get(), pending.get()));
            }
            Fact::Dispute { seller, buyer, .. } => {
                let what = format!("the seller's meter shows {seller}, the buyer's {buyer}");
                self.tell_of(at, Tone::Fault, who, &what);
            }
            Fact::Refusal { reason } => {
                self.totals.refusals = self.totals.refusals.saturating_add(1);
                self.tell_of(at, Tone::Refused, who, reason);
            }
            Fact::Fault { what } => {
                self.totals.faults = self.totals.faults.saturating_add(1);
                self.tell_of(at, Tone::Fault, who, what);
            }
            Fact::World { line, level } => self.world(who, line, *level),
            Fact::LineFault { line, fault } => self.line_fault(who, line, fault.as_deref()),
            Fact::Alarm { line, state, units: _, value } => {
                self.alarm(at, who, line, (*state, value.get()));
            }
            Fact::Intervention { what, again: _ } => self.tell_of(at, Tone::Hand, who, what),
        }
    }

    fn delivered(&mut self, at: u64, session: &str, value: u64, units: u64) {
        let row = self.sessions.row(session);
        row.delivered = value;
        row.units = units;
        row.weigh();
        self.watch(at, session);
    }

    fn line_fault(&mut self, who: &str, line: &str, fault: Option<&str>) {
        if let Some(line) = self.find_line(who, line) {
            line.fault = fault.map(|fault| clip(fault, NAME_MAX));
        }
    }

    fn party(&mut self, who: &str, address: &str, role: &str) {
        let wallet = self.wallets.row(who);
        wallet.address = clip(address, NAME_MAX);
        wallet.role = clip(role, NAME_MAX);
    }

    fn thing(&mut self, owner: &str, name: &str, service: &str, lines: &[ThingLine]) {
        let thing = self.things.row(name);
        thing.owner = clip(owner, NAME_MAX);
        thing.service = clip(service, NAME_MAX);
        for ThingLine { name, direction } in lines.iter().take(LINES_MAX) {
            let name = clip(name, NAME_MAX);
            let is_output = match direction {
                Direction::Output => true,
                Direction::Input => false,
            };
            match thing.lines.iter_mut().find(|line| line.name == name) {
                Some(line) => line.is_output = is_output,
                None => thing.lines.push(Line::new(name, is_output)),
            }
        }
        thing.lines.truncate(LINES_MAX);
    }

    fn link(&mut self, at: u64, one: &str, other: &str, state: LinkState) {
        let (one, other) = (clip(one, NAME_MAX), clip(other, NAME_MAX));
        let names = [self.name(&one), self.name(&other)];
        let ends = names.join(" – ");
        let known = self.links.iter_mut().find(|link| link.joins(&one, &other));
        let before = known.map_or(LinkState::Up, |link| std::mem::replace(&mut link.state, state));
        self.know_link(one, other, state);
        if self.story.explains(at, &names) {
            return;
        }
        match (before, state) {
            (LinkState::Up, LinkState::Cut) => self.tell(at, Tone::Fault, &format!("the link {ends} is cut")),
            (LinkState::Cut, LinkState::Up) => {
                self.tell(at, Tone::Good, &format!("the link {ends} is mended"));
            }
            (LinkState::Up, LinkState::Up) | (LinkState::Cut, LinkState::Cut) => {}
        }
    }

    /// Makes a link known; whoever deals with another has one, also when it was not told.
    fn know_link(&mut self, one: String, other: String, state: LinkState) {
        if self.links.iter().any(|link| link.joins(&one, &other)) {
            return;
        }
        if self.links.len() >= LINKS_MAX {
            self.links.pop_front();
        }
        self.links.push_back(Link { one, other, state });
    }

    fn audit(&mut self, at: u64, is_conserved: bool) {
        let before = self.totals.is_conserved.replace(is_conserved);
        if !is_conserved && before != Some(false) {
            self.tell(at, Tone::Fault, "money is not conserved: the books do not add up");
        }
    }

    fn listing(&mut self, at: u64, thing: &str, service: &str, step: u64) {
        let row = self.things.row(thing);
        if row.step == step {
            // Everyone who reads the market tells.
            return;
        }
        row.step = step;
        let text = format!("{} sells {service}, {} a step", self.name(thing), money(step));
        self.tell(at, Tone::Plain, &text);
    }

    fn session(&mut self, at: u64, id: &str, deal: &Deal<'_>, state: SessionState) {
        let (thing, buyer) = (self.name(deal.thing), self.name(deal.buyer));
        let session = self.sessions.row(id);
        session.thing.clone_from(&thing);
        session.buyer.clone_from(&buyer);
        session.step = deal.step;
        if session.state.is_some_and(|before| turn(before) >= turn(state)) {
            return;
        }
        session.state = Some(state);
        let paid = money(session.paid);
        if session.is_over() {
            session.buyers.now = 0;
            session.sellers.now = 0;
        }
        if !deal.channel.is_empty() {
            session.channel = clip(deal.channel, NAME_MAX);
            let channel = self.channels.row(deal.channel);
            channel.buyer.clone_from(&buyer);
            channel.thing.clone_from(&thing);
        }
        let owner = self.things.find(&thing).map_or("", |thing| &thing.owner);
        if !self.links.iter().any(|link| link.joins(&buyer, owner)) {
            self.know_link(buyer.clone(), thing.clone(), LinkState::Up);
        }
        let (tone, text) = match state {
            SessionState::Offered => {
                (Tone::Plain, format!("{thing} makes {buyer} an offer: {} a step", money(deal.step)))
            }
            SessionState::Accepted => (Tone::Plain, format!("{buyer} accepts the offer of {thing}")),
            SessionState::Running => (Tone::Good, format!("{buyer} pays, {thing} runs")),
            SessionState::Stopped => (Tone::Plain, format!("{buyer} and {thing} stop at {paid}")),
            SessionState::Settled => (Tone::Good, format!("{buyer} and {thing} have settled: {paid}")),
            SessionState::Cancelled => (Tone::Plain, format!("{buyer} and {thing} part before a payment")),
            SessionState::Disputed => (Tone::Fault, format!("{buyer} and {thing} disagree at {paid}")),
        };
        self.tell(at, tone, &text);
    }

    fn channel(
        &mut self,
        at: u64,
        id: &str,
        ends: (&str, &str),
        (period, state): (u64, ChannelState),
        deposited: u64,
    ) {
        let ends = (self.name(ends.0), self.name(ends.1));
        let channel = self.channels.row(id);
        if channel.buyer.is_empty() {
            (channel.buyer, channel.thing) = ends;
        }
        if channel.state.is_some_and(|before| !is_news((channel.period, before), (period, state))) {
            if channel.state == Some(state) && channel.period == period && !channel.is_over() {
                channel.deposited = deposited;
            }
            return;
        }
        if period > channel.spent_in {
            (channel.spent, channel.spent_in) = (0, period);
        }
        (channel.period, channel.state) = (period, Some(state));
        if channel.is_over() {
            // Nothing is deposited any more; what was is still worth a look.
            channel.ended = at;
            channel.dots.clear();
        } else {
            channel.deposited = deposited;
        }
        let way = format!("{} → {}", channel.buyer, channel.thing);
        let (tone, text) = match state {
            ChannelState::Opening if deposited == 0 => {
                (Tone::Plain, format!("channel {way}: a deposit is on its way"))
            }
            ChannelState::Opening => (Tone::Plain, format!("channel {way}: {} on its way", money(deposited))),
            ChannelState::Open => (Tone::Plain, format!("channel {way} is open with {}", money(deposited))),
            ChannelState::Closing => (Tone::Plain, format!("channel {way} is closing")),
            ChannelState::Closed => (Tone::Good, format!("channel {way} is settled and closed")),
            ChannelState::Punished => {
                (Tone::Caught, format!("channel {way}: the cheater loses all {}", money(channel.deposited)))
            }
        };
        self.tell(at, tone, &text);
    }

    fn package(&mut self, id: &str, period: u64, session: &str, (spent, signed): (u64, u64)) {
        let session = clip(session, NAME_MAX);
        let row = self.sessions.row(&session);
        row.channel = clip(id, NAME_MAX);
        row.signed = row.signed.max(signed);
        row.weigh();
        let channel = self.channels.row(id);
        if period > channel.spent_in {
            (channel.spent, channel.spent_in) = (spent, period);
        } else if period == channel.spent_in {
            channel.spent = channel.spent.max(spent);
        }
        channel.send(&session, signed);
    }

    fn paid(&mut self, at: u64, id: &str, value: u64) {
        let id = clip(id, NAME_MAX);
        let session = self.sessions.row(&id);
        let more = value.saturating_sub(session.paid);
        if more == 0 {
            return;
        }
        let is_first = session.paid == 0;
        session.paid = value;
        session.weigh();
        let (buyer, thing, channel) = (session.buyer.clone(), session.thing.clone(), session.channel.clone());
        self.totals.paid = self.totals.paid.saturating_add(more);
        self.totals.payments = self.totals.payments.saturating_add(1);
        self.payments.add(at, 1);
        if let Some(thing) = self.things.find_mut(&thing) {
            thing.earned = thing.earned.saturating_add(more);
        }
        if let Some(channel) = self.channels.find_mut(&channel) {
            channel.credit(&id, value);
            channel.rate.add(at, more);
        }
        if is_first && !buyer.is_empty() {
            self.tell(at, Tone::Plain, &format!("first payment {buyer} → {thing}: {}", money(more)));
        }
    }

    fn exposure(&mut self, at: u64, id: &str, buyer: u64, seller: u64) {
        let session = self.sessions.row(id);
        session.buyers.set(buyer);
        session.sellers.set(seller);
        self.watch(at, id);
    }

    /// Says once when somebody has more at risk than was agreed.
    fn watch(&mut self, at: u64, id: &str) {
        let session = self.sessions.row(id);
        if session.step == 0 || session.is_beyond {
            return;
        }
        let (buyer, seller) = (session.buyers.now, session.sellers.now);
        let (who, risk, bound) = if buyer > session.buyers_bound() {
            (session.buyer.clone(), buyer, session.buyers_bound())
        } else if seller > session.sellers_bound() {
            (session.thing.clone(), seller, session.sellers_bound())
        } else {
            return;
        };
        session.is_beyond = true;
        self.totals.is_beyond = true;
        self.tell(at, Tone::Fault, &format!("{who} risks {}, agreed were {}", money(risk), money(bound)));
    }

    fn tell_of(&mut self, at: u64, tone: Tone, who: &str, text: &str) {
        let is_seen = self.wallets.find(who).is_some() || self.things.find(who).is_some();
        let who = self.name(who);
        // Who only works behind the stage is not named, and some sentences name whom they are about.
        let text =
            if is_seen && !text.starts_with(&who) { format!("{who}: {text}") } else { text.to_owned() };
        self.tell(at, tone, &text);
    }

    pub(super) fn tell(&mut self, at: u64, tone: Tone, text: &str) {
        let text = self.sentence(text);
        self.story.tell(at, tone, text);
    }
}

/// What a session is about.
struct Deal<'a> {
    thing: &'a str,
    buyer: &'a str,
    channel: &'a str,
    step: u64,
}

/// How far along a session is; both sides tell, and the one behind is no news.
fn turn(state: SessionState) -> u8 {
    match state {
        SessionState::Offered => 0,
        SessionState::Accepted => 1,
        SessionState::Running => 2,
        SessionState::Stopped => 3,
        SessionState::Settled | SessionState::Cancelled => 4,
        SessionState::Disputed => 5,
    }
}

/// Whether a channel's state is later than the one before it.
fn is_news(before: (u64, ChannelState), after: (u64, ChannelState)) -> bool {
    let turn = |state| match state {
        ChannelState::Opening => 0,
        ChannelState::Open => 1,
        ChannelState::Closing => 2,
        ChannelState::Closed => 3,
        ChannelState::Punished => 4,
    };
    // What is over may begin anew, in the next period or, where a period counts deposits, in this one.
    let is_new = turn(before.1) >= turn(ChannelState::Closed) && after.1 == ChannelState::Opening;
    after.0 > before.0 || (after.0 == before.0 && (is_new || turn(after.1) > turn(before.1)))
}
