//! A shell for one ledger with a virtual clock, and wallets that post to it.

use std::time::Duration;

use coinop_core::{
    Bytes, Context, Machine, Timestamp,
    obyte::{
        Network,
        address::Address,
        definition,
        hash::{Hash, sha256},
        key::SecretKey,
        signed::SignedMessage,
        unit,
    },
};
use coinop_node::{
    agent::compose::Coin,
    ledger::{Audit, Command, Config, Draft, Effect, Event, Ledger, Notice, Purse, Push, Refusal, Treasury},
};
use serde_json::{Value, json};

/// A ledger, what it said, and the present moment.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
    pub(crate) pushes: Vec<Push>,
    config: Config,
    journal: Vec<String>,
    treasury: Treasury,
}

pub(crate) const CONFIG: Config = Config {
    genesis: Timestamp::from_millis(1_800_000_000_250),
    until_stable: Duration::from_secs(2),
    proves: false,
    seed: [7; 32],
};

impl World {
    pub(crate) fn new() -> Self {
        Self::of(CONFIG)
    }

    pub(crate) fn of(config: Config) -> Self {
        Self {
            ledger: Ledger::new(&config).unwrap(),
            now: config.genesis,
            pushes: Vec::new(),
            config,
            journal: Vec::new(),
            treasury: Treasury::of_seed(&config.seed).unwrap(),
        }
    }

    /// Decides, records, applies, and carries out.
    pub(crate) fn ask(&mut self, command: Command) -> Result<(), Refusal> {
        self.record(command)?.into_iter().for_each(|effect| self.carry_out(effect));
        Ok(())
    }

    /// What would have been carried out if the process had not ended.
    pub(crate) fn ask_without_effects(&mut self, command: Command) -> Vec<Effect> {
        self.record(command).unwrap()
    }

    fn record(&mut self, command: Command) -> Result<Vec<Effect>, Refusal> {
        let context = Context { now: self.now, random: [0; 32] };
        let decision = self.ledger.decide(&context, command)?;
        for event in &decision.events {
            self.journal.push(serde_json::to_string(event).unwrap());
            self.ledger.apply(event);
        }
        Ok(decision.effects)
    }

    pub(crate) fn sign(&self, purse: Purse, draft: &Draft) -> Value {
        self.treasury.sign(purse, draft).unwrap()
    }

    pub(crate) fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Sign { purse, draft } => {
                let unit = self.sign(purse, &draft);
                self.ask(Command::Post { unit }).unwrap();
            }
            Effect::Push(push) => self.pushes.push(push),
        }
    }

    pub(crate) fn post(&mut self, unit: &Value) -> Result<Hash, Refusal> {
        self.ask(Command::Post { unit: unit.clone() })?;
        Ok(hash(unit))
    }

    /// Lets time pass, waking the ledger whenever it wants to be.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now.after(span);
        while let Some(deadline) = self.ledger.deadline().filter(|deadline| deadline.at <= end) {
            self.now = self.now.max(deadline.at);
            self.ask(Command::Wake).unwrap();
        }
        self.now = end;
    }

    /// Until everything is stable and answered.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let Some(deadline) = self.ledger.deadline() else { return };
            self.now = self.now.max(deadline.at);
            self.ask(Command::Wake).unwrap();
        }
        panic!("the ledger does not come to rest");
    }

    pub(crate) fn fund(&mut self, wallet: &Wallet, amount: u64) {
        self.ask(Command::Fund { address: wallet.address, amount: Bytes::new(amount) }).unwrap();
        self.settle();
    }

    pub(crate) fn balance(&self, wallet: &Wallet) -> u64 {
        let balance = self.ledger.balance(&wallet.address);
        balance.stable.plus(balance.pending).unwrap().get()
    }

    /// The books are right, the journal gives the same state again, and so does a snapshot.
    pub(crate) fn check(&self) -> Audit {
        let mut again = Ledger::new(&self.config).unwrap();
        for line in &self.journal {
            again.apply(&serde_json::from_str::<Event>(line).unwrap());
        }
        assert_eq!(again, self.ledger, "the journal gives another state");
        let snapshot = serde_json::to_string(&self.ledger).unwrap();
        assert_eq!(
            serde_json::from_str::<Ledger>(&snapshot).unwrap(),
            self.ledger,
            "the snapshot lost something"
        );
        self.ledger.audit().unwrap()
    }

    /// The bodies of the responses that were told.
    pub(crate) fn responses(&self) -> Vec<&Value> {
        let response = |push: &'_ Push| match &push.what {
            Notice::Response(_) => true,
            Notice::Joint(_) | Notice::Stable(_) => false,
        };
        let told = self.pushes.iter().filter(|push| response(push));
        told.filter_map(|push| match &push.what {
            Notice::Response(body) => Some(body),
            Notice::Joint(_) | Notice::Stable(_) => None,
        })
        .collect()
    }

    pub(crate) fn journal(&self) -> &[String] {
        &self.journal
    }
}

/// Someone with a key.
pub(crate) struct Wallet {
    pub(crate) key: SecretKey,
    pub(crate) address: Address,
}

impl Wallet {
    pub(crate) fn of(name: &str) -> Self {
        let key = SecretKey::from_bytes(&sha256(name.as_bytes())).unwrap();
        let address = Address::of_key(&key.public());
        Self { key, address }
    }

    /// A signed payment of `amount` to `to`, with other messages before it.
    pub(crate) fn pay(&self, world: &World, to: Address, amount: u64, others: &[Value]) -> Value {
        let coins = world.ledger.coins(&self.address);
        self.pay_with(world, &coins, to, amount, others)
    }

    /// The same, out of these coins.
    pub(crate) fn pay_with(
        &self,
        world: &World,
        coins: &[Coin],
        to: Address,
        amount: u64,
        others: &[Value],
    ) -> Value {
        let quote = world.ledger.quote(&self.address, &[self.address, to], Some(1), world.now).unwrap();
        let total = Coin::sum(coins).get();
        let mut author = json!({"address": self.address, "authentifiers": {"r": "-".repeat(88)}});
        if world.ledger.definition_for(&self.address).needed() {
            author["definition"] = definition::sig(&self.key.public());
        }
        let inputs: Vec<Value> = coins.iter().map(Coin::input).collect();
        let mut change = total - amount;
        for _ in 0..2 {
            let mut outputs = [(to, amount), (self.address, change)];
            outputs.sort();
            let outputs: Vec<Value> = outputs
                .iter()
                .map(|(address, amount)| json!({"address": address, "amount": amount}))
                .collect();
            let payment = message("payment", &json!({"inputs": inputs, "outputs": outputs}));
            let mut unit = json!({
                "version": Network::Devnet.version(),
                "alt": Network::Devnet.alt(),
                "messages": others.iter().cloned().chain([payment]).collect::<Vec<_>>(),
                "authors": [author],
                "timestamp": quote.timestamp,
                "parent_units": quote.parent_units,
                "last_ball": quote.last_ball,
                "last_ball_unit": quote.last_ball_unit,
                "tps_fee": quote.tps_fee,
            });
            if quote.count_primary_aa_triggers > 0 {
                unit["max_aa_responses"] = json!(1);
            }
            let (headers, payload) = (unit::headers_size(&unit).unwrap(), unit::payload_size(&unit).unwrap());
            unit["headers_commission"] = json!(headers);
            unit["payload_commission"] = json!(payload);
            let due = amount + headers + payload + quote.tps_fee.get();
            if total == due + change {
                return self.seal(unit);
            }
            change = total - due;
        }
        panic!("the fees do not settle");
    }

    pub(crate) fn seal(&self, mut unit: Value) -> Value {
        let signature = self.key.sign(&unit::hash_to_sign(&unit).unwrap());
        unit["authors"][0]["authentifiers"]["r"] = json!(signature);
        unit["unit"] = json!(unit::unit_hash(&unit).unwrap());
        unit
    }

    /// A signed payment package.
    pub(crate) fn package(&self, channel: Address, period: u64, spent: u64) -> Value {
        let said =
            json!({"payment_amount": spent, "amount_spent": spent, "period": period, "aa_address": channel});
        let draft = SignedMessage::draft(Network::Devnet.package_version(), said, &self.key.public());
        let signature = self.key.sign(&draft.hash_to_sign().unwrap());
        draft.signed(signature).to_value()
    }
}

pub(crate) fn message(app: &str, payload: &Value) -> Value {
    let hash = unit::payload_hash(payload, Network::Devnet.version()).unwrap();
    json!({"app": app, "payload_location": "inline", "payload_hash": hash, "payload": payload})
}

pub(crate) fn hash(unit: &Value) -> Hash {
    unit["unit"].as_str().unwrap().parse().unwrap()
}
