//! A tiny model of the channel agent, without fees: what comes in is either held or paid out.

use std::collections::BTreeMap;

use coinop_core::{
    Timestamp,
    channel::{Role, Sighting, SignedPackage, Terms},
    obyte::{Address, Hash},
};
use serde_json::{Value, json};

const BOUNCE_FEE: u64 = 10_000;

/// A unit that triggers the agent.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) unit: Hash,
    pub(crate) from: Address,
    pub(crate) amount: u64,
    pub(crate) data: Option<Value>,
}

#[derive(Clone, Debug)]
struct Closing {
    by: Role,
    since: u64,
    spent: [u64; 2],
}

#[derive(Clone, Debug)]
pub(crate) struct Agent {
    terms: Terms,
    address: Address,
    period: u64,
    event_id: u64,
    balances: [u64; 2],
    closing: Option<Closing>,
    pub(crate) held: u64,
    pub(crate) received: u64,
    pub(crate) paid_out: BTreeMap<Address, u64>,
}

impl Agent {
    pub(crate) fn new(terms: &Terms) -> Self {
        Self {
            terms: terms.clone(),
            address: terms.aa_address().unwrap(),
            period: 1,
            event_id: 1,
            balances: [0; 2],
            closing: None,
            held: 0,
            received: 0,
            paid_out: BTreeMap::new(),
        }
    }

    /// Takes a stable trigger and says what the ledger shows of the response.
    pub(crate) fn respond(&mut self, posted: &Posted, now: Timestamp) -> Sighting {
        self.held += posted.amount;
        self.received += posted.amount;
        let (bounced, payload) = match self.act(posted, now.seconds()) {
            Ok(mut payload) => {
                payload["event_id"] = json!(self.event_id);
                self.event_id += 1;
                (None, Some(payload))
            }
            Err(error) => (Some(error.to_owned()), None),
        };
        let at = Timestamp::from_millis(now.seconds() * 1000);
        Sighting::Response { trigger: posted.unit, from: posted.from, bounced, payload, at }
    }

    pub(crate) fn paid_to(&self, address: Address) -> u64 {
        self.paid_out.get(&address).copied().unwrap_or(0)
    }

    pub(crate) const fn deposits(&self) -> u64 {
        self.balances[0] + self.balances[1]
    }

    fn act(&mut self, posted: &Posted, now: u64) -> Result<Value, &'static str> {
        let party = [Role::Seller, Role::Buyer].into_iter().find(|r| self.terms.address(*r) == posted.from);
        if let Some(party) = party.filter(|_| posted.amount > BOUNCE_FEE) {
            return Ok(self.deposit(party, posted));
        }
        let data = posted.data.as_ref().ok_or("neither case is true in messages")?;
        match (party, self.closing.clone()) {
            (Some(party), None) if data.get("close").is_some() => self.close(party, data, now),
            (_, Some(closing)) if data.get("confirm").is_some() => self.confirm(party, &closing, data, now),
            (_, Some(closing)) if data.get("fraud_proof").is_some() => {
                self.fraud_proof(posted.from, &closing, data)
            }
            _ => Err("neither case is true in messages"),
        }
    }

    fn deposit(&mut self, party: Role, posted: &Posted) -> Value {
        if self.closing.is_some() {
            self.pay(posted.from, posted.amount - BOUNCE_FEE);
            return json!({ "refused": 1, "trigger_unit": posted.unit });
        }
        self.balances[index(party)] += posted.amount;
        self.payload("open", self.balances, posted.unit)
    }

    fn close(&mut self, party: Role, data: &Value, now: u64) -> Result<Value, &'static str> {
        self.check_period(data)?;
        let mut spent = [0; 2];
        spent[index(party)] = data["transferredFromMe"].as_u64().unwrap_or(0);
        if let Some(package) = data.get("sentByPeer") {
            spent[index(party.peer())] = self.evidence(package, party.peer())?;
        }
        self.closing = Some(Closing { by: party, since: now, spent });
        let mut payload = self.payload("closing", spent, Hash::of(b"trigger"));
        payload["initiated_by"] = json!(self.terms.address(party));
        Ok(payload)
    }

    fn confirm(
        &mut self,
        party: Option<Role>,
        closing: &Closing,
        data: &Value,
        now: u64,
    ) -> Result<Value, &'static str> {
        let party = party.ok_or("too early")?;
        if party == closing.by && now < closing.since + self.terms.timeout_seconds {
            return Err("too early");
        }
        self.check_period(data)?;
        let mut spent = closing.spent;
        spent[index(party)] += data["additionalTransferredFromMe"].as_u64().unwrap_or(0);
        let share =
            |mine: usize, peer: usize| (self.balances[mine] + spent[peer]).saturating_sub(spent[mine]);
        let shares = [share(0, 1), share(1, 0)];
        let smaller = if shares[0] < shares[1] { Role::Seller } else { Role::Buyer };
        self.pay(self.terms.address(smaller), (shares[index(smaller)] + BOUNCE_FEE).min(self.held));
        self.pay(self.terms.address(smaller.peer()), self.held);
        Ok(self.closed(&json!({ "closed": 1 })))
    }

    fn fraud_proof(&mut self, from: Address, closing: &Closing, data: &Value) -> Result<Value, &'static str> {
        let proven = self.evidence(&data["sentByPeer"], closing.by)?;
        if proven <= closing.spent[index(closing.by)] {
            return Err("the peer didn't lie in his favor");
        }
        self.pay(from, self.held);
        Ok(self.closed(&json!({ "closed": 1, "fraud_proof": 1 })))
    }

    fn closed(&mut self, payload: &Value) -> Value {
        let mut payload = payload.clone();
        payload["period"] = json!(self.period);
        self.period += 1;
        self.balances = [0; 2];
        self.closing = None;
        payload
    }

    fn evidence(&self, package: &Value, signer: Role) -> Result<u64, &'static str> {
        let package = SignedPackage::read(package).map_err(|_unreadable| "invalid signature by peer")?;
        if package.message.aa_address != self.address {
            return Err("signed for another channel");
        }
        if package.message.period != self.period {
            return Err("signed for a different period of this channel");
        }
        if package.verify().is_err() || package.signer != self.terms.address(signer) {
            return Err("invalid signature by peer");
        }
        Ok(package.message.amount_spent.get())
    }

    fn check_period(&self, data: &Value) -> Result<(), &'static str> {
        if data["period"] == json!(self.period) { Ok(()) } else { Err("wrong period") }
    }

    fn payload(&self, what: &str, figures: [u64; 2], trigger: Hash) -> Value {
        json!({
            what: 1,
            "period": self.period,
            self.terms.address_a.to_string(): figures[0],
            self.terms.address_b.to_string(): figures[1],
            "trigger_unit": trigger,
        })
    }

    fn pay(&mut self, to: Address, amount: u64) {
        self.held -= amount;
        *self.paid_out.entry(to).or_default() += amount;
    }
}

const fn index(role: Role) -> usize {
    match role {
        Role::Seller => 0,
        Role::Buyer => 1,
    }
}
