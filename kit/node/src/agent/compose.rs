//! From what an agent wants to say and pay to the unit that does it.

use coinop_core::{
    Bytes,
    obyte::{Network, address::Address, hash::Hash, unit},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, BOUNCE_FEE, Bounce, Change, Payout, Saying, Trigger, Vars, channel::Channel};
use crate::dag::{CoinId, Unspent};

/// What an input costs its unit; a coin worth less is left lying.
pub const INPUT_SIZE: Bytes = Bytes::new(89);
/// What an output costs its unit.
pub const OUTPUT_SIZE: Bytes = Bytes::new(53);

/// An output that its owner can spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    /// The unit it stands in.
    pub unit: Hash,
    /// The message of that unit.
    pub message_index: u32,
    /// The output of that message.
    pub output_index: u32,
    /// What it is worth.
    pub amount: Bytes,
}

impl Coin {
    /// The coin behind an unspent output.
    pub(crate) fn of(unspent: &Unspent<'_>) -> Self {
        let CoinId { unit, message_index, output_index } = unspent.id;
        let amount = Bytes::try_from(unspent.coin.amount).unwrap_or(Bytes::MAX);
        Self { unit, message_index, output_index, amount }
    }

    /// What coins are worth together.
    pub fn sum(coins: &[Self]) -> Bytes {
        // All bytes there are lie below the cap.
        coins.iter().fold(Bytes::ZERO, |sum, coin| sum.plus(coin.amount).unwrap_or(Bytes::MAX))
    }

    /// The input that spends it.
    pub fn input(&self) -> Value {
        json!({"unit": self.unit, "message_index": self.message_index, "output_index": self.output_index})
    }
}

/// What the ledger gives a response unit: its network, its clock and its place in the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The network.
    pub network: Network,
    /// The timestamp of the main chain unit, in seconds.
    pub timestamp: u64,
    /// The last ball of the main chain unit.
    pub last_ball: Hash,
    /// The unit of that ball.
    pub last_ball_unit: Hash,
    /// What the unit follows, sorted.
    pub parent_units: Vec<Hash>,
}

/// What an agent owns when it answers, the trigger's outputs included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// All its bytes, dust included.
    pub balance: Bytes,
    /// Its coins, in the order in which they are spent.
    pub coins: Vec<Coin>,
}

/// What came of a trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct Executed {
    /// Why it was refused, if it was.
    pub bounce: Option<Bounce>,
    /// The response, complete with its hash, unless there was nothing to pay or say.
    pub unit: Option<Value>,
    /// What changed in the agent's state.
    pub changes: Vec<Change>,
}

/// Lets `channel` answer `trigger` and composes its response.
pub fn execute(
    channel: &Channel,
    vars: &Vars,
    trigger: &Trigger,
    holdings: &Holdings,
    frame: &Frame,
) -> Executed {
    let composer = Composer { agent: channel.address, storage_size: vars.storage_size(), holdings, frame };
    let answered = match channel.answer(vars, trigger, frame.network) {
        Answer::Response(response) => composer.unit(&response.messages).and_then(|unit| {
            composer.keeps_its_storage(&unit, vars, &response.changes)?;
            Ok((unit, response.changes))
        }),
        Answer::Bounce(bounce) => Err(bounce),
    };
    match answered {
        Ok((unit, changes)) => Executed { bounce: None, unit: Some(unit), changes },
        Err(bounce) => composer.bounced(trigger, bounce),
    }
}

struct Composer<'a> {
    agent: Address,
    storage_size: u64,
    holdings: &'a Holdings,
    frame: &'a Frame,
}

/// The payment of a response while its coins are being picked.
struct Picking {
    inputs: Vec<Coin>,
    outputs: Vec<(Address, Bytes)>,
    rest_to: Option<Address>,
}

impl Composer<'_> {
    /// Sends back what came, less the fee, when there is something left of it.
    fn bounced(&self, trigger: &Trigger, bounce: Bounce) -> Executed {
        let refund = trigger.amount.less(BOUNCE_FEE);
        if refund.is_zero() {
            return Executed { bounce: Some(bounce), unit: None, changes: Vec::new() };
        }
        let pay = Saying::Pay(vec![Payout { to: trigger.address, amount: Some(refund) }]);
        let (bounce, unit) = match self.unit(&[pay]) {
            Ok(unit) => (bounce, Some(unit)),
            Err(second) => (Bounce::outside(format!("{}, then {}", bounce.text, second.text)), None),
        };
        Executed { bounce: Some(bounce), unit, changes: Vec::new() }
    }

    fn unit(&self, sayings: &[Saying]) -> Result<Value, Bounce> {
        let payouts = sayings.iter().find_map(|saying| match saying {
            Saying::Pay(payouts) => Some(payouts.as_slice()),
            Saying::Data(_) => None,
        });
        let picking = self.picking(payouts.unwrap_or_default());
        let size = size_of(&self.with_payment(sayings, &picking))?;
        let picked = self.pick(picking, size)?;
        let mut unit = self.with_payment(sayings, &picked);
        for message in unit["messages"].as_array_mut().into_iter().flatten() {
            message["payload_hash"] =
                json!(unit::payload_hash(&message["payload"], self.frame.network.version()).map_err(failed)?);
        }
        unit["headers_commission"] = Value::from(unit::headers_size(&unit).map_err(failed)?);
        unit["payload_commission"] = Value::from(unit::payload_size(&unit).map_err(failed)?);
        unit["unit"] = json!(unit::unit_hash(&unit).map_err(failed)?);
        Ok(unit)
    }

    fn picking(&self, payouts: &[Payout]) -> Picking {
        let fixed = payouts.iter().filter_map(|payout| Some((payout.to, payout.amount?)));
        let mut outputs: Vec<_> = fixed.collect();
        let rest_to = payouts.iter().find(|payout| payout.amount.is_none()).map(|payout| payout.to);
        // Whoever empties an agent leaves it what its state costs.
        if rest_to.is_some() && self.storage_size > INPUT_SIZE.get() {
            outputs.extend(Bytes::try_from(self.storage_size).map(|kept| (self.agent, kept)));
        }
        Picking { inputs: Vec::new(), outputs, rest_to }
    }

    /// Picks coins until they cover the payment and the growing unit, or all of them.
    fn pick(&self, mut picking: Picking, size: Bytes) -> Result<Picking, Bounce> {
        let due = picking.outputs.iter().try_fold(size, |sum, (_, amount)| sum.plus(*amount));
        let mut target = due.map_err(failed)?;
        let (mut total, mut rest, mut found) = (Bytes::ZERO, None, false);
        for coin in self.holdings.coins.iter().filter(|coin| coin.amount >= INPUT_SIZE) {
            picking.inputs.push(*coin);
            total = total.plus(coin.amount).map_err(failed)?;
            target = target.plus(INPUT_SIZE).map_err(failed)?;
            let exact = total == target && !picking.outputs.is_empty();
            let change = total.less(target).less(OUTPUT_SIZE);
            if !change.is_zero() {
                rest = Some(change);
            }
            found |= exact || !change.is_zero();
            if found && picking.rest_to.is_none() {
                break;
            }
        }
        if !found {
            return Err(Bounce::outside(format!("not enough funds for {} bytes", target.get())));
        }
        picking.outputs.extend(rest.map(|rest| (picking.rest_to.unwrap_or(self.agent), rest)));
        picking.outputs.sort();
        Ok(picking)
    }

    fn with_payment(&self, sayings: &[Saying], picking: &Picking) -> Value {
        let inputs: Vec<_> = picking.inputs.iter().map(Coin::input).collect();
        let output = |(address, amount): &(Address, Bytes)| json!({"address": address, "amount": amount});
        let outputs: Vec<_> = picking.outputs.iter().map(output).collect();
        let payment = message("payment", &json!({"inputs": inputs, "outputs": outputs}));
        let mut messages = Vec::new();
        for saying in sayings {
            messages.push(match saying {
                Saying::Data(payload) => message("data", payload),
                Saying::Pay(_) => payment.clone(),
            });
        }
        if !sayings.iter().any(|saying| matches!(saying, Saying::Pay(_))) {
            messages.push(payment);
        }
        self.framed(&messages)
    }

    fn framed(&self, messages: &[Value]) -> Value {
        json!({
            "version": self.frame.network.version(),
            "alt": self.frame.network.alt(),
            "timestamp": self.frame.timestamp,
            "messages": messages,
            "authors": [{"address": self.agent}],
            "last_ball_unit": self.frame.last_ball_unit,
            "last_ball": self.frame.last_ball,
            "parent_units": self.frame.parent_units,
        })
    }

    fn keeps_its_storage(&self, unit: &Value, vars: &Vars, changes: &[Change]) -> Result<(), Bounce> {
        let mut after = vars.clone();
        after.apply(changes);
        let (size, left) =
            (after.storage_size(), balance_after(self.holdings.balance, self.agent, unit).get());
        if size > INPUT_SIZE.get() && left < size {
            return Err(Bounce::outside(format!(
                "byte balance {left} would drop below new storage size {size}"
            )));
        }
        Ok(())
    }
}

/// What `agent` owns once its response `unit` is out.
pub fn balance_after(balance: Bytes, agent: Address, unit: &Value) -> Bytes {
    let amount = |value: &Value| Bytes::try_from(value.as_u64().unwrap_or(0)).unwrap_or(Bytes::ZERO);
    let payloads = unit["messages"].as_array().into_iter().flatten().map(|message| &message["payload"]);
    let outputs = payloads.flat_map(|payload| payload["outputs"].as_array().into_iter().flatten());
    let foreign = outputs.filter(|output| output["address"] != agent.as_str());
    let paid = foreign.fold(balance, |left, output| left.less(amount(&output["amount"])));
    paid.less(amount(&unit["headers_commission"])).less(amount(&unit["payload_commission"]))
}

fn message(app: &str, payload: &Value) -> Value {
    // Sizes count a hash of this length, whatever it will be.
    json!({"app": app, "payload_location": "inline", "payload_hash": "-".repeat(44), "payload": payload})
}

fn size_of(unit: &Value) -> Result<Bytes, Bounce> {
    let headers = unit::headers_size(unit).map_err(failed)?;
    let payload = unit::payload_size(unit).map_err(failed)?;
    Bytes::try_from(headers.saturating_add(payload)).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Bounce {
    Bounce::outside(error.to_string())
}
