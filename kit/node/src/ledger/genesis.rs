//! The beginning of the ledger, and the keys of its own money.

use std::time::Duration;

use coinop_core::{
    Bytes, Context, Machine, Timestamp,
    obyte::{
        Network,
        address::Address,
        ball::ball_hash,
        definition,
        hash::{Hash, sha256},
        key::{KeyError, SecretKey},
        unit::{self, UnitError},
    },
};
use serde_json::{Value, json};

use super::{Command, Draft, Effect, Event, Ledger, Purse, Refusal, Work, draft};
use crate::{
    agent::channel,
    dag::{Dag, InsertError, Params, Properties, SystemVar, SystemVars},
};

/// All bytes there are.
const TOTAL: Bytes = Bytes::new(1_000_000_000_000_000);
/// What the order provider begins with: enough for a heartbeat a second for forty years.
const PROVIDER_SHARE: Bytes = Bytes::new(1_000_000_000_000);

/// What a ledger begins with. The same configuration gives the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The moment of the first unit.
    pub genesis: Timestamp,
    /// How long after a unit is accepted it becomes stable, at the latest.
    pub until_stable: Duration,
    /// Whether light clients want proofs: it takes another heartbeat until they can know that a unit is
    /// stable.
    pub proves: bool,
    /// What the keys of the order provider and of the faucet are made of. This money is worth nothing,
    /// and so is this secret: whoever has the configuration has both.
    pub seed: [u8; 32],
}

/// The secret keys of the ledger's own money; held by the shell, not by the ledger.
#[derive(Debug)]
pub struct Treasury {
    provider: SecretKey,
    faucet: SecretKey,
}

/// Why a ledger could not begin.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GenesisError {
    /// The seed gives no key.
    #[error("the seed gives no key")]
    Key(#[from] KeyError),
    /// A unit of the beginning could not be made.
    #[error("the first units cannot be made: {0}")]
    Unit(#[from] UnitError),
    /// The first unit could not be inserted.
    #[error("the first unit cannot be inserted: {0}")]
    Insert(#[from] InsertError),
    /// The ledger does not take its own first units.
    #[error("the first units are not valid: {0}")]
    Refused(#[from] Box<Refusal>),
}

impl Treasury {
    /// The keys made of `seed`.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the seed gives no key: one of 2¹²⁷.
    pub fn of_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = |name: &[u8]| SecretKey::from_bytes(&sha256(&[name, seed.as_slice()].concat()));
        Ok(Self { provider: key(b"coinop order provider")?, faucet: key(b"coinop faucet")? })
    }

    /// Signs what the ledger composed; the result is to be posted.
    ///
    /// # Errors
    ///
    /// [`UnitError`] when the draft is no unit.
    pub fn sign(&self, purse: Purse, draft: &Draft) -> Result<Value, UnitError> {
        sealed(draft.unit.clone(), self.key(purse))
    }

    const fn key(&self, purse: Purse) -> &SecretKey {
        match purse {
            Purse::Provider => &self.provider,
            Purse::Faucet => &self.faucet,
        }
    }
}

impl Ledger {
    /// A ledger with its first units, stable: genesis, and the heartbeats that others can refer to.
    ///
    /// # Errors
    ///
    /// [`GenesisError`] when the configuration gives no keys.
    pub fn new(config: &Config) -> Result<Self, GenesisError> {
        let treasury = Treasury::of_seed(&config.seed)?;
        let unit = sealed(genesis(&treasury, config)?, &treasury.provider)?;
        let hash = draft::hash_of(&unit)?;
        let mut dag = Dag::new(params(hash), system_vars(&Address::of_key(&treasury.provider.public())));
        dag.insert(unit, first_place(hash))?;
        // The address is a constant of the protocol.
        channel::BASE.parse().into_iter().for_each(|base| dag.run_natively(base));
        let mut ledger = Self {
            dag,
            until_stable: config.until_stable,
            proves: config.proves,
            provider: treasury.provider.public(),
            faucet: treasury.faucet.public(),
            agents: std::collections::BTreeMap::new(),
            work: Work { now: config.genesis, last_beat: config.genesis, ..Work::default() },
        };
        ledger.begin(&treasury, config.genesis)?;
        Ok(ledger)
    }

    /// Beats until a unit above genesis is stable: agents count from there on.
    fn begin(&mut self, treasury: &Treasury, now: Timestamp) -> Result<(), GenesisError> {
        while self.dag.last_stable().and_then(|joint| joint.properties.mci).is_none_or(|mci| mci == 0) {
            let draft = self.draft_heartbeat(now).map_err(|error| Box::new(Refusal::from(error)))?;
            self.apply(&Event::Drafted { at: now, purse: Purse::Provider, draft: draft.clone() });
            let unit = treasury.sign(Purse::Provider, &draft)?;
            self.run(now, Command::Post { unit })?;
            while self.dag.next_stable().is_some() || self.work.uncharged.is_some() {
                self.run(now, Command::Wake)?;
            }
        }
        Ok(())
    }

    fn run(&mut self, now: Timestamp, command: Command) -> Result<Vec<Effect>, GenesisError> {
        let context = Context { now, random: [0; 32] };
        let decision = self.decide(&context, command).map_err(Box::new)?;
        decision.events.iter().for_each(|event| self.apply(event));
        Ok(decision.effects)
    }
}

/// Signs a unit of a single author and gives it its hash.
fn sealed(mut unit: Value, key: &SecretKey) -> Result<Value, UnitError> {
    let signature = key.sign(&unit::hash_to_sign(&unit)?);
    unit["authors"][0]["authentifiers"] = json!({definition::ROOT: signature});
    unit["unit"] = json!(unit::unit_hash(&unit)?);
    Ok(unit)
}

fn genesis(treasury: &Treasury, config: &Config) -> Result<Value, UnitError> {
    let (provider, faucet) = (treasury.provider.public(), treasury.faucet.public());
    let mut outputs = [(Address::of_key(&provider), PROVIDER_SHARE), (Address::of_key(&faucet), Bytes::ZERO)];
    let issue = vec![json!({"type": "issue", "serial_number": 1, "amount": TOTAL})];
    let unit = |outputs: &[(Address, Bytes)]| {
        let payment = draft::message("payment", &draft::payment(&issue, outputs))?;
        draft::complete(json!({
            "version": Network::Devnet.version(),
            "alt": Network::Devnet.alt(),
            "timestamp": config.genesis.seconds(),
            "messages": [payment],
            "authors": [draft::author(&provider, true)],
        }))
    };
    let fees = draft::fees(&unit(&outputs)?);
    outputs[1].1 = TOTAL.less(PROVIDER_SHARE).less(fees);
    unit(&outputs)
}

fn params(genesis: Hash) -> Params {
    Params {
        version: Network::Devnet.version().to_owned(),
        supported_versions: Network::Devnet.versions().map(str::to_owned).to_vec(),
        alt: Network::Devnet.alt().to_owned(),
        genesis,
        total_bytes: TOTAL.get(),
        order_providers: 1,
        majority: 1,
        paid_witnessing_span: 100,
        max_seconds_ahead: 5,
        min_tps_fee_multiplier: 1.5,
        elapsed_when_zero: 1,
    }
}

/// Like a devnet that has voted its traffic fees down: below a thousand units a second they are cents.
fn system_vars(provider: &Address) -> SystemVars {
    let row = |(subject, value): (&str, Value)| SystemVar {
        subject: subject.to_owned(),
        value,
        vote_count_mci: -1,
    };
    let values = [
        ("op_list", json!([provider])),
        ("threshold_size", json!(10_000)),
        ("base_tps_fee", json!(10)),
        ("tps_interval", json!(1_000)),
        ("tps_fee_multiplier", json!(10)),
    ];
    SystemVars { rows: values.into_iter().map(row).collect() }
}

fn first_place(genesis: Hash) -> Properties {
    Properties {
        mci: Some(0),
        is_stable: true,
        is_on_main_chain: true,
        is_free: true,
        ball: Some(ball_hash(&genesis, &[], &[], false)),
        ..Properties::default()
    }
}
