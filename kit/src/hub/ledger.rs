//! A hub as a ledger.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::{Rc, Weak},
    time::Duration,
};

use coinop_core::{
    Bytes,
    obyte::{address::Address, unit::Unit},
    wallet::{Coin, Quote, Request},
};
use serde_json::{Value, json};
use tokio::{sync::Mutex, task::spawn_local, time::sleep};

use super::{Hub, connection, view::View};
use crate::{
    agenda::{Agenda, Rank},
    ledger::{Answer, Ledger, LedgerError, News, Watcher},
};

/// Changes that come together are looked at together.
const TOGETHER: Duration = Duration::from_millis(30);
/// How often everything is looked at without a hint: a hint may be lost.
const ANYWAY: Duration = Duration::from_secs(20);
/// The responses that a hub reckons with when a unit does not say.
const DEFAULT_RESPONSES: u32 = 10;

/// The ledger behind a hub, as a light client sees it; cheap to clone.
#[derive(Clone)]
pub struct HubLedger(Rc<Inner>);

struct Inner {
    hub: Hub,
    agenda: Agenda,
    /// The most that is paid for the traffic of the moment.
    max_tps_fee: Bytes,
    providers: RefCell<Option<Vec<Address>>>,
    view: RefCell<View>,
    /// Whether something happened since the view was made.
    is_stale: Cell<bool>,
    looking: Mutex<()>,
    is_due: Cell<bool>,
    watched: RefCell<BTreeMap<Address, Watched>>,
}

#[derive(Default)]
struct Watched {
    watchers: Vec<(Rank, Watcher)>,
    told: Vec<News>,
    coins: Vec<Coin>,
}

impl HubLedger {
    /// The ledger behind `hub`; a quote above `max_tps_fee` is refused. Must be called inside a tokio
    /// `LocalSet`.
    pub fn new(hub: Hub, agenda: Agenda, max_tps_fee: Bytes) -> Self {
        let ledger = Self(Rc::new(Inner {
            hub,
            agenda,
            max_tps_fee,
            providers: RefCell::default(),
            view: RefCell::default(),
            is_stale: Cell::new(true),
            looking: Mutex::default(),
            is_due: Cell::new(false),
            watched: RefCell::default(),
        }));
        let own = Rc::downgrade(&ledger.0);
        ledger.0.hub.listen(Rc::new(move |news| {
            if let Some(ledger) = own.upgrade() {
                Self(ledger).hear(news);
            }
        }));
        spawn_local(look_anyway(Rc::downgrade(&ledger.0)));
        ledger
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// The units of `address` as the hub shows them now, checked.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when it does not answer, or answers what cannot be.
    pub async fn view(&self, address: Address) -> Result<View, LedgerError> {
        self.begin(address);
        self.0.is_stale.set(true);
        self.look().await?;
        Ok(self.0.view.borrow().clone())
    }

    /// Posts a unit that was written down as JSON.
    ///
    /// # Errors
    ///
    /// As [`Ledger::post`].
    pub async fn post_json(&self, unit: Value) -> Result<(), LedgerError> {
        self.ask_post(unit).await
    }

    /// The order providers, as the hub names them.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when it does not.
    pub async fn providers(&self) -> Result<Vec<Address>, LedgerError> {
        if let Some(providers) = self.0.providers.borrow().clone() {
            return Ok(providers);
        }
        let named = self.0.hub.ask("get_witnesses", None).await?;
        let providers: Vec<Address> = serde_json::from_value(named)
            .map_err(|error| LedgerError::Refused(format!("the hub names no order providers: {error}")))?;
        self.0.providers.replace(Some(providers.clone()));
        Ok(providers)
    }

    fn hear(&self, news: &connection::News) {
        match news {
            connection::News::Up => {
                for address in self.0.watched.borrow().keys() {
                    self.say_watched(*address);
                }
                self.look_soon();
            }
            connection::News::Down(_) => {}
            connection::News::Said { subject, body: _ } => match subject.as_str() {
                "joint"
                | "light/have_updates"
                | "light/sequence_became_bad"
                | "light/aa_request"
                | "light/aa_response" => self.look_soon(),
                _ => {}
            },
        }
    }

    /// Begins to watch an address; says whether it was not watched yet.
    fn begin(&self, address: Address) -> bool {
        if self.0.watched.borrow().contains_key(&address) {
            return false;
        }
        self.0.watched.borrow_mut().insert(address, Watched::default());
        self.0.is_stale.set(true);
        self.say_watched(address);
        true
    }

    fn say_watched(&self, address: Address) {
        self.0.hub.say("light/new_address_to_watch", json!(address));
    }

    /// Looks, together with whatever else happens at this moment.
    fn look_soon(&self) {
        self.0.is_stale.set(true);
        if !self.0.is_due.replace(true) {
            let own = Rc::downgrade(&self.0);
            spawn_local(async move {
                sleep(TOGETHER).await;
                if let Some(inner) = own.upgrade() {
                    inner.is_due.set(false);
                    if let Err(error) = Self(inner).look().await {
                        tracing::warn!(%error, "the history cannot be had");
                    }
                }
            });
        }
    }

    /// Brings the view up to date, if something happened since, and tells the watchers.
    async fn look(&self) -> Result<(), LedgerError> {
        let _alone = self.0.looking.lock().await;
        if !self.0.is_stale.replace(false) {
            return Ok(());
        }
        let looked = self.look_now().await;
        if looked.is_err() {
            self.0.is_stale.set(true);
        }
        looked
    }

    async fn look_now(&self) -> Result<(), LedgerError> {
        let watched: BTreeSet<Address> = self.0.watched.borrow().keys().copied().collect();
        if watched.is_empty() {
            return Ok(());
        }
        let providers = self.providers().await?;
        let mut request = json!({ "witnesses": providers, "addresses": watched });
        let known = self.0.view.borrow().known(&watched);
        if !known.is_empty() {
            request["known_stable_units"] = json!(known);
        }
        let history = self.0.hub.ask("light/get_history", Some(request)).await?;
        let learnt = self.0.view.borrow_mut().learn(&providers, &history);
        learnt.map_err(|lie| LedgerError::Refused(lie.to_string()))?;
        self.tell();
        Ok(())
    }

    fn tell(&self) {
        let view = self.0.view.borrow();
        for (address, watched) in self.0.watched.borrow_mut().iter_mut() {
            let (news, coins) = (view.news(*address), view.coins(*address));
            let fresh = news.iter().filter(|news| !watched.told.contains(news)).cloned();
            let moved = (coins != watched.coins).then_some(News::Coins);
            for news in fresh.chain(moved) {
                for (rank, watcher) in &watched.watchers {
                    let (watcher, news) = (Rc::clone(watcher), news.clone());
                    self.0.agenda.soon(*rank, async move { watcher(news).await });
                }
            }
            (watched.told, watched.coins) = (news, coins);
        }
    }

    /// What the future gives, waited for outside of the agenda.
    fn outside<T: 'static>(&self, ask: impl Future<Output = Result<T, LedgerError>> + 'static) -> Answer<T> {
        let agenda = self.0.agenda.clone();
        Box::pin(async move { agenda.outside(ask).await })
    }

    async fn ask_quote(&self, from: Address, request: &Request) -> Result<Quote, LedgerError> {
        let mut to: BTreeSet<Address> = request.outputs.iter().map(|output| output.address).collect();
        to.insert(from);
        let params = json!({
            "witnesses": self.providers().await?,
            "from_addresses": [from],
            "output_addresses": to,
            "max_aa_responses": request.max_aa_responses.unwrap_or(DEFAULT_RESPONSES),
        });
        let command = "light/get_parents_and_last_ball_and_witness_list_unit";
        let quote = read_quote(&self.0.hub.ask(command, Some(params)).await?);
        let quote = quote.ok_or_else(|| LedgerError::Refused("the hub's quote makes no sense".to_owned()))?;
        if quote.tps_fee > self.0.max_tps_fee {
            let (fee, most) = (quote.tps_fee, self.0.max_tps_fee);
            return Err(LedgerError::Refused(format!(
                "the hub wants a fee of {fee} for the traffic, {most} at most"
            )));
        }
        Ok(quote)
    }

    async fn ask_definition(&self, address: Address) -> Result<bool, LedgerError> {
        let params = json!({ "address": address });
        let known = self.0.hub.ask("light/get_definition_for_address", Some(params)).await?;
        Ok(known["definition"].is_null() || known["is_stable"] != true)
    }

    async fn ask_post(&self, unit: Value) -> Result<(), LedgerError> {
        let agents: Vec<Value> = unit["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|message| message["payload"]["outputs"].as_array().into_iter().flatten())
            .map(|output| output["address"].clone())
            .collect();
        match self.0.hub.ask("post_joint", Some(json!({ "unit": unit }))).await {
            Ok(_) => {}
            Err(LedgerError::Refused(error)) => match error.as_str() {
                "known" => {}
                // It looks at it, or will look at it later.
                error if error == "already handling this unit" || error.starts_with("catching up") => {
                    return Err(LedgerError::NoAnswer);
                }
                _ => return Err(LedgerError::Refused(error)),
            },
            Err(LedgerError::NoAnswer) => return Err(LedgerError::NoAnswer),
        }
        // Agents can be watched as such once they are defined.
        let watched = self.0.watched.borrow();
        let agents =
            agents.into_iter().filter(|agent| watched.keys().any(|watched| *agent == watched.as_str()));
        for agent in agents {
            self.0.hub.say("light/new_aa_to_watch", json!({ "aa": agent }));
        }
        self.look_soon();
        Ok(())
    }
}

/// Looks now and then, whatever the hub says: its hints may be lost.
async fn look_anyway(ledger: Weak<Inner>) {
    loop {
        sleep(ANYWAY).await;
        let Some(ledger) = ledger.upgrade() else { return };
        HubLedger(ledger).look_soon();
    }
}

fn read_quote(said: &Value) -> Option<Quote> {
    let hash = |name: &str| said[name].as_str()?.parse().ok();
    let parents = said["parent_units"].as_array()?.iter();
    Some(Quote {
        parents: parents.map(|parent| parent.as_str()?.parse().ok()).collect::<Option<_>>()?,
        last_ball: hash("last_stable_mc_ball")?,
        last_ball_unit: hash("last_stable_mc_ball_unit")?,
        timestamp: said["timestamp"].as_u64()?,
        tps_fee: Bytes::try_from(said["tps_fee"].as_u64()?).ok()?,
    })
}

impl Ledger for HubLedger {
    fn quote(&self, from: Address, request: &Request) -> Answer<Quote> {
        let (ledger, request) = (self.clone(), request.clone());
        self.outside(async move { ledger.ask_quote(from, &request).await })
    }

    fn definition_needed(&self, address: Address) -> Answer<bool> {
        let ledger = self.clone();
        self.outside(async move { ledger.ask_definition(address).await })
    }

    fn post(&self, unit: &Unit) -> Answer<()> {
        let unit = serde_json::to_value(unit).map_err(|error| LedgerError::Refused(error.to_string()));
        let ledger = self.clone();
        self.outside(async move { ledger.ask_post(unit?).await })
    }

    fn coins(&self, address: Address) -> Answer<Vec<Coin>> {
        let ledger = self.clone();
        self.outside(async move {
            ledger.begin(address);
            ledger.look().await?;
            Ok(ledger.0.view.borrow().coins(address))
        })
    }

    fn history(&self, agent: Address) -> Answer<Vec<News>> {
        let ledger = self.clone();
        self.outside(async move {
            ledger.begin(agent);
            ledger.look().await?;
            Ok(ledger.0.view.borrow().news(agent))
        })
    }

    fn watch(&self, address: Address, rank: Rank, watcher: Watcher) {
        if self.begin(address) {
            self.look_soon();
        }
        self.0.watched.borrow_mut().entry(address).or_default().watchers.push((rank, watcher));
    }

    fn unwatch(&self, rank: Rank) {
        for watched in self.0.watched.borrow_mut().values_mut() {
            watched.watchers.retain(|(of, _)| *of != rank);
        }
    }
}
