//! A party: a wallet, channels and sessions under one key, talking to others in letters.
//!
//! Its machines hold no key and no socket; this module carries their effects to each other, to the
//! ledger and to the network, and restores them from the journal after a restart.

mod broken;
mod buying;
mod channels;
mod cheat;
mod desk;
mod mail;
mod narrate;
mod purse;
mod selling;
mod serve;
pub mod wire;

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::{Rc, Weak},
};

use coinop_core::{
    Bytes, Timestamp,
    channel::Signer,
    obyte::{Network as Chain, address::Address, key::SecretKey},
    session::{PurchaseCommand, SaleCommand, SessionId},
    wallet::{Policy, Wallet},
};
use serde_json::Value;

use self::{buying::Shopper, mail::Mail, purse::Purse};
pub use self::{
    buying::Want,
    desk::Desk,
    selling::{Demand, Occupancy, Shop},
};
use crate::{
    actors::{self, AskError, Birth, Drivable, Handle, Wiring},
    agenda::{Rank, Task},
    ledger::{Ledger, News},
    network::Network,
    notice::Fact,
    restore::Restored,
    shell::Shell,
};

/// The most channels a party has.
const MAX_CHANNELS: usize = 256;
/// The smallest deposit worth a channel.
const MIN_DEPOSIT: Bytes = Bytes::new(20_000);

/// Who is called what; for people, never for decisions.
pub type AddressBook = Rc<RefCell<BTreeMap<Address, String>>>;

/// What a party needs of the world.
pub struct Surroundings {
    /// The journal, the queue and the bus.
    pub shell: Shell,
    /// How it talks to others.
    pub network: Network,
    /// Where its money is.
    pub ledger: Rc<dyn Ledger>,
    /// Where listings are.
    pub market: Address,
    /// Who is called what.
    pub book: AddressBook,
}

/// One who buys and sells.
pub struct Party {
    name: String,
    rank: Rank,
    secret: SecretKey,
    signer: Signer,
    address: Address,
    shell: Shell,
    network: Network,
    ledger: Rc<dyn Ledger>,
    market: Address,
    book: AddressBook,
    mail: Mail,
    sent: RefCell<VecDeque<(Address, Vec<u8>)>>,
    purse: OnceCell<Purse>,
    channels: RefCell<BTreeMap<Address, channels::Slot>>,
    purchases: RefCell<BTreeMap<SessionId, buying::Slot>>,
    shoppers: RefCell<BTreeMap<u32, Shopper>>,
    wants: RefCell<BTreeMap<u32, Want>>,
    sales: RefCell<BTreeMap<SessionId, selling::Slot>>,
    shop: RefCell<Option<Shop>>,
    /// Why nothing is sold, when nothing is.
    out_of_order: RefCell<Option<String>>,
    counter: Cell<u32>,
    told_balance: RefCell<Option<Fact>>,
}

impl Party {
    /// Starts a party, or lets it go on from what the journal holds of it.
    ///
    /// # Errors
    ///
    /// [`serde_json::Error`] when its state cannot be read or written.
    pub async fn start(
        name: &str,
        rank: Rank,
        secret: SecretKey,
        around: Surroundings,
        restored: &Restored,
    ) -> Result<Rc<Self>, serde_json::Error> {
        let Surroundings { shell, network, ledger, market, book } = around;
        let address = Address::of_key(&secret.public());
        book.borrow_mut().insert(address, name.to_owned());
        let party = Rc::new(Self {
            name: name.to_owned(),
            rank,
            signer: Signer::new(secret.clone()),
            secret,
            address,
            shell,
            network,
            ledger,
            market,
            book,
            mail: Mail::default(),
            sent: RefCell::default(),
            purse: OnceCell::new(),
            channels: RefCell::default(),
            purchases: RefCell::default(),
            shoppers: RefCell::default(),
            wants: RefCell::default(),
            sales: RefCell::default(),
            shop: RefCell::default(),
            out_of_order: RefCell::default(),
            counter: Cell::new(0),
            told_balance: RefCell::default(),
        });
        party.open_purse(restored)?;
        party.move_in();
        party.restore(restored)?;
        party.look_at_coins().await;
        let agents: Vec<_> = party.channels.borrow().keys().copied().collect();
        for agent in agents {
            party.catch_up(agent).await;
        }
        Ok(party)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its wallet's address, and where its letters go.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Its place in the order of simultaneous work.
    pub fn rank(&self) -> Rank {
        self.rank
    }

    /// Tells the sessions that the process was away; said once, when everything is there again.
    ///
    /// `until` is the last moment at which it was there.
    pub async fn resume(self: &Rc<Self>, until: Timestamp) {
        let sales: Vec<_> = self.sales.borrow().keys().copied().collect();
        for session in sales {
            self.tell_where_it_stands(session);
            self.ask_sale(session, SaleCommand::Resumed { until }).await;
        }
        let purchases: Vec<_> = self.purchases.borrow().keys().copied().collect();
        for session in purchases {
            self.ask_purchase(session, PurchaseCommand::Resumed).await;
        }
    }

    /// Loses the process: everything in memory is gone, what was not durable never happened.
    pub fn kill(self: Rc<Self>) {
        self.network.move_out(self.address.as_str());
        self.ledger.unwatch(self.rank);
        self.shell.forget(self.rank, &format!("{}/", self.name));
    }

    /// The state of each of its machines, by the stream it is recorded in.
    ///
    /// # Errors
    ///
    /// [`serde_json::Error`] when one cannot be written down.
    pub fn states(&self) -> Result<BTreeMap<String, Value>, serde_json::Error> {
        let mut states = BTreeMap::new();
        let mut add = |handle: Result<(String, Value), serde_json::Error>| {
            handle.map(|(stream, state)| states.insert(stream, state)).map(drop)
        };
        add(self.purse().wallet.written())?;
        self.channels.borrow().values().try_for_each(|slot| add(slot.handle.written()))?;
        self.purchases.borrow().values().try_for_each(|slot| add(slot.handle.written()))?;
        self.sales.borrow().values().try_for_each(|slot| add(slot.handle.written()))?;
        Ok(states)
    }

    fn open_purse(self: &Rc<Self>, restored: &Restored) -> Result<(), serde_json::Error> {
        let stream = format!("{}/wallet", self.name);
        let (wallet, birth) = if let Some(wallet) = restored.machine::<Wallet>(&stream)? {
            (wallet, Birth::Restored)
        } else {
            let wallet = Wallet::new(Chain::Devnet, self.secret.public(), Policy::default());
            (wallet, Birth::New)
        };
        let wiring = Wiring {
            stream,
            who: self.name.clone(),
            rank: self.rank,
            outlet: self.outlet(|party, effect| party.wallet_effect(effect)),
            narrate: Box::new(|_, _| Vec::new()),
        };
        let wallet = actors::spawn(&self.shell, wallet, birth, wiring)?;
        // It is set once, here.
        let _ = self.purse.set(Purse::new(wallet));
        Ok(())
    }

    fn move_in(self: &Rc<Self>) {
        let party = Rc::downgrade(self);
        let mailbox = Rc::new(move |letter| -> Task {
            let party = party.clone();
            Box::pin(async move {
                if let Some(party) = party.upgrade() {
                    party.receive(letter).await;
                }
            })
        });
        self.network.move_in(self.address.as_str(), self.rank, mailbox);
        let party = Rc::downgrade(self);
        let watcher = Rc::new(move |_: News| -> Task {
            let party = party.clone();
            Box::pin(async move {
                if let Some(party) = party.upgrade() {
                    party.look_at_coins().await;
                }
            })
        });
        self.ledger.watch(self.address, self.rank, watcher);
    }

    fn restore(self: &Rc<Self>, restored: &Restored) -> Result<(), serde_json::Error> {
        for (_, channel) in restored.machines(&format!("{}/channel/", self.name))? {
            self.run_channel(channel, Birth::Restored);
        }
        for (number, purchase) in restored.machines(&format!("{}/purchase/", self.name))? {
            if let Ok(plan) = number.parse() {
                self.restore_purchase(plan, purchase);
            }
        }
        for (number, sale) in restored.machines(&format!("{}/sale/", self.name))? {
            if let Ok(number) = number.parse() {
                self.restore_sale(number, sale);
            }
        }
        Ok(())
    }

    fn purse(&self) -> &Purse {
        self.purse.get().expect("set before anybody else holds the party")
    }

    /// Asks one of the party's machines; a refusal is told, an actor that is gone is logged.
    async fn ask<M: Drivable>(&self, handle: &Handle<M>, command: M::Command) {
        match handle.ask(command).await {
            Ok(()) => {}
            Err(AskError::Refused(refusal)) => self.refuse(refusal.to_string()),
            Err(error) => tracing::error!(party = self.name, %error, "an actor does not answer"),
        }
    }

    /// Tells spectators that something was refused, and why.
    fn refuse(&self, mut reason: String) {
        for (address, name) in self.book.borrow().iter() {
            if reason.contains(address.as_str()) {
                reason = reason.replace(address.as_str(), name);
            }
        }
        self.shell.tell(self.rank, &self.name, Fact::Refusal { reason });
    }

    /// What a party is called here; its address when it is a stranger.
    fn call_it(&self, address: Address) -> String {
        self.book.borrow().get(&address).cloned().unwrap_or_else(|| address.to_string())
    }

    /// An outlet that does not keep the party alive: a killed party's effects go nowhere.
    fn outlet<E: 'static>(
        self: &Rc<Self>,
        carry_out: impl Fn(&Rc<Self>, E) -> Task + 'static,
    ) -> Box<dyn Fn(E) -> Task> {
        let party: Weak<Self> = Rc::downgrade(self);
        Box::new(move |effect| match party.upgrade() {
            Some(party) => carry_out(&party, effect),
            None => Box::pin(async {}),
        })
    }
}
