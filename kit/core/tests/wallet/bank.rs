//! A tiny ledger: outputs that are spent once, and a wallet at its counter.

use std::collections::BTreeMap;

use coinop_core::{
    Bytes, Context, Machine, Timestamp,
    obyte::{
        Address, Hash, Network, SecretKey,
        unit::{Input, Message, Output, Unit},
    },
    wallet::{Coin, CoinId, Command, Effect, Event, Policy, Quote, Refusal, Request, Wallet, seal},
};

pub(crate) struct Bank {
    pub(crate) now: u64,
    pub(crate) key: SecretKey,
    pub(crate) wallet: Wallet,
    start: Wallet,
    journal: Vec<String>,
    pub(crate) outputs: BTreeMap<CoinId, (Output, bool)>,
    pub(crate) units: BTreeMap<Hash, Unit>,
    /// What was taken for each reference.
    pub(crate) taken: BTreeMap<String, Hash>,
    /// Units on their way to the ledger.
    pub(crate) posts: Vec<(String, Unit)>,
    pub(crate) told: Vec<Effect>,
}

impl Bank {
    /// A wallet with these coins, all stable.
    pub(crate) fn with(coins: &[u64]) -> Self {
        let key = SecretKey::from_bytes(&[3; 32]).unwrap();
        let wallet = Wallet::new(Network::Devnet, key.public(), Policy::default());
        let mut bank = Self {
            now: 1_700_000_000_000,
            key,
            start: wallet.clone(),
            wallet,
            journal: Vec::new(),
            outputs: BTreeMap::new(),
            units: BTreeMap::new(),
            taken: BTreeMap::new(),
            posts: Vec::new(),
            told: Vec::new(),
        };
        for (number, amount) in coins.iter().enumerate() {
            let id = CoinId { unit: Hash::of(&number.to_le_bytes()), message_index: 0, output_index: 0 };
            let output = Output { address: bank.wallet.address(), amount: Bytes::new(*amount) };
            bank.outputs.insert(id, (output, true));
        }
        bank.show();
        bank
    }

    pub(crate) fn ask(&mut self, command: Command) -> Result<Vec<Effect>, Refusal> {
        let context = Context { now: Timestamp::from_millis(self.now), random: [0; 32] };
        let before = self.wallet.clone();
        let decision = self.wallet.decide(&context, command);
        assert_eq!(self.wallet, before);
        let decision = decision?;
        for event in &decision.events {
            let text = serde_json::to_string(event).unwrap();
            assert_eq!(&serde_json::from_str::<Event>(&text).unwrap(), event);
            self.journal.push(text);
            self.wallet.apply(event);
        }
        for effect in decision.effects.clone() {
            self.carry_out(effect);
        }
        Ok(decision.effects)
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::SignAndPost { reference, unit } => {
                self.posts.push((reference, seal(*unit, &self.key).unwrap()));
            }
            Effect::Posted { .. } | Effect::PostFailed { .. } => self.told.push(effect),
        }
    }

    pub(crate) fn compose(
        &mut self,
        reference: &str,
        to: Address,
        amount: u64,
    ) -> Result<Vec<Effect>, Refusal> {
        let outputs = vec![Output { address: to, amount: Bytes::new(amount) }];
        self.request(reference, Request { outputs, ..Request::default() })
    }

    pub(crate) fn request(&mut self, reference: &str, request: Request) -> Result<Vec<Effect>, Refusal> {
        let quote = self.quote();
        self.ask(Command::Compose { reference: reference.into(), request, quote, definition_needed: false })
    }

    pub(crate) fn quote(&self) -> Quote {
        Quote {
            parents: vec![Hash::of(b"parent"), Hash::of(b"other parent")],
            last_ball: Hash::of(b"ball"),
            last_ball_unit: Hash::of(b"ball unit"),
            timestamp: self.now / 1000,
            tps_fee: Bytes::new(10),
        }
    }

    /// The ledger looks at the newest unit on its way, and answers.
    pub(crate) fn answer(&mut self) -> Result<Hash, String> {
        let (reference, unit) = self.posts.pop().unwrap();
        let answer = self.take(&reference, &unit);
        let command = match answer.clone() {
            Ok(unit) => Command::Accepted { reference, unit },
            Err(error) => Command::Rejected { reference, error },
        };
        self.ask(command).unwrap();
        answer
    }

    pub(crate) fn take(&mut self, reference: &str, unit: &Unit) -> Result<Hash, String> {
        if self.units.contains_key(&unit.unit) {
            return Ok(unit.unit);
        }
        let payment = unit.messages.iter().find_map(Message::as_payment).unwrap();
        let inputs: Vec<CoinId> = payment.inputs.iter().map(coin_id).collect();
        if inputs.iter().any(|id| !self.outputs.contains_key(id)) {
            return Err("double spend".to_owned());
        }
        let spent: u64 = inputs.iter().map(|id| self.outputs.remove(id).unwrap().0.amount.get()).sum();
        let paid: u64 = payment.outputs.iter().map(|output| output.amount.get()).sum();
        assert_eq!(spent, paid + unit.fees().unwrap().get(), "in is out and fees");
        let message_index = u32::try_from(unit.messages.len() - 1).unwrap();
        for (output_index, output) in (0..).zip(payment.outputs) {
            let id = CoinId { unit: unit.unit, message_index, output_index };
            self.outputs.insert(id, (output, false));
        }
        let earlier = self.taken.insert(reference.to_owned(), unit.unit);
        assert_eq!(earlier, None, "{reference} is paid once");
        self.units.insert(unit.unit, unit.clone());
        Ok(unit.unit)
    }

    /// The ledger shows what the wallet has.
    pub(crate) fn show(&mut self) {
        let coins = self.coins_on_the_ledger();
        self.ask(Command::CoinsSeen { coins }).unwrap();
    }

    pub(crate) fn coins_on_the_ledger(&self) -> Vec<Coin> {
        let own = self.outputs.iter().filter(|(_, (output, _))| output.address == self.wallet.address());
        own.map(|(id, (output, stable))| Coin { id: *id, amount: output.amount, stable: *stable }).collect()
    }

    pub(crate) fn stabilise(&mut self, unit: Hash) {
        self.outputs.iter_mut().filter(|(id, _)| id.unit == unit).for_each(|(_, (_, stable))| *stable = true);
        self.ask(Command::Stable { unit }).unwrap();
    }

    pub(crate) fn restart(&mut self) {
        let mut wallet = self.start.clone();
        for text in &self.journal {
            wallet.apply(&serde_json::from_str(text).unwrap());
        }
        assert_eq!(wallet, self.wallet, "replaying the journal gives the state");
        let snapshot = serde_json::to_string(&wallet).unwrap();
        self.wallet = serde_json::from_str(&snapshot).unwrap();
        assert_eq!(self.wallet, wallet, "a snapshot, too");
        for effect in wallet.pending() {
            self.carry_out(effect);
        }
    }
}

fn coin_id(input: &Input) -> CoinId {
    match input {
        Input::Transfer { unit, message_index, output_index } => {
            CoinId { unit: *unit, message_index: *message_index, output_index: *output_index }
        }
        Input::Issue { .. } | Input::HeadersCommission(_) | Input::Witnessing(_) => {
            panic!("only transfers expected, not {input:?}")
        }
    }
}

pub(crate) fn shop() -> Address {
    Address::of_key(&SecretKey::from_bytes(&[4; 32]).unwrap().public())
}
