//! Checks what a journal holds, with nobody running: who has what, and does it add up?

mod report;

use std::collections::BTreeMap;

use coinop_core::{
    Bytes,
    channel::{Channel, Phase},
    market::Directory,
    obyte::address::Address,
    session::{Purchase, Sale, SessionId},
    wallet::Wallet,
};
use coinop_node::{
    agent::{Party as Side, Var},
    ledger::{Audit, Ledger as Node},
};
use serde_json::Value;

pub use self::report::{AuditError, ChannelAccount, ChannelEnd, PartyAccount, Report, SessionAccount};
use crate::{actors::Drivable, ledger, restore::Restored};

/// The state of every machine that the journal holds of a party or of the ledger, by its stream.
///
/// # Errors
///
/// [`AuditError`] when a stream is not what it should be.
pub fn states(restored: &Restored) -> Result<BTreeMap<String, Value>, AuditError> {
    let mut states = BTreeMap::new();
    for stream in restored.names() {
        let state = match stream.split('/').nth(1) {
            Some("wallet") => state::<Wallet>(restored, stream)?,
            Some("channel") => state::<Channel>(restored, stream)?,
            Some("purchase") => state::<Purchase>(restored, stream)?,
            Some("sale") => state::<Sale>(restored, stream)?,
            Some("ledger") => state::<Node>(restored, stream)?,
            Some("directory") => state::<Directory>(restored, stream)?,
            Some(_) | None => continue,
        };
        states.insert(stream.to_owned(), state);
    }
    Ok(states)
}

fn state<M: Drivable>(restored: &Restored, stream: &str) -> Result<Value, AuditError> {
    Ok(serde_json::to_value(restored.machine::<M>(stream)?)?)
}

/// All machines of a journal.
struct Books {
    node: Node,
    parties: Vec<Account>,
}

/// The machines of one party.
struct Account {
    name: String,
    address: Address,
    channels: BTreeMap<Address, Channel>,
    purchases: BTreeMap<SessionId, Purchase>,
    sales: BTreeMap<SessionId, Sale>,
}

/// Rebuilds everything from the journal and checks that it adds up.
///
/// # Errors
///
/// [`AuditError`] when there is nothing that could be checked. What does not add up is no error:
/// it stands in [`Report::wrong`].
pub fn audit(restored: &Restored) -> Result<Report, AuditError> {
    let books = Books::open(restored)?;
    let mut wrong = Vec::new();
    let ledger = match books.node.audit() {
        Ok(audit) => Some(audit),
        Err(discrepancy) => {
            wrong.push(format!("the ledger's books are wrong: {discrepancy}"));
            None
        }
    };
    let parties: Vec<_> = books.parties.iter().map(|party| party.account(&books.node)).collect();
    let channels = books.channels(&mut wrong);
    if let Some(ledger) = ledger.as_ref() {
        nobody_else_has_money(ledger, &parties, &channels, &mut wrong);
    }
    let sessions = books.sessions(&mut wrong);
    let at = restored.latest().unwrap_or_default();
    Ok(Report { at, ledger, parties, channels, sessions, wrong })
}

/// All money that is not the ledger's own is in the wallets of the parties and with their channels'
/// agents, also those that the ledger does not know for agents yet.
fn nobody_else_has_money(
    ledger: &Audit,
    parties: &[PartyAccount],
    channels: &[ChannelAccount],
    wrong: &mut Vec<String>,
) {
    let wallets = parties.iter().flat_map(|party| [party.stable, party.pending]);
    let known = sum(wallets.chain(channels.iter().map(|channel| channel.held)));
    let counted = sum([ledger.wallets, ledger.agents]);
    if known != counted {
        wrong.push(format!("parties and channels hold {known} but the ledger counts {counted}"));
    }
}

impl Books {
    fn open(restored: &Restored) -> Result<Self, AuditError> {
        let node = restored.machine::<Node>(ledger::STREAM)?.ok_or(AuditError::NoLedger)?;
        let names = restored.names().filter_map(|name| name.strip_suffix("/wallet"));
        let parties = names.map(|name| Account::open(name, restored)).collect::<Result<_, _>>()?;
        Ok(Self { node, parties })
    }

    /// Each channel with both its ends, checked.
    fn channels(&self, wrong: &mut Vec<String>) -> Vec<ChannelAccount> {
        let mut ends = BTreeMap::<Address, Vec<(&str, &Channel)>>::new();
        for party in &self.parties {
            for (agent, channel) in &party.channels {
                ends.entry(*agent).or_default().push((&party.name, channel));
            }
        }
        let mut accounts = Vec::new();
        for (agent, ends) in ends {
            let balance = self.node.balance(&agent);
            let held = sum([balance.stable, balance.pending]);
            for (name, channel) in &ends {
                within_the_deposits(name, channel, (held, self.counted(channel)), wrong);
            }
            if let [(one, first), (other, second)] = ends[..] {
                proven_is_signed((one, first), (other, second), wrong);
                proven_is_signed((other, second), (one, first), wrong);
            }
            let ends = ends.iter().map(|(name, channel)| ChannelEnd {
                party: (*name).to_owned(),
                period: channel.current_period(),
                phase: channel.phase(),
                deposited: channel.mine().deposited,
                signed: channel.mine().spent,
                proven: proven(channel),
            });
            accounts.push(ChannelAccount { agent, held, ends: ends.collect() });
        }
        accounts
    }

    /// What the agent counts as deposited in the period that this end is in.
    fn counted(&self, channel: &Channel) -> Option<Bytes> {
        let vars = self.node.state_vars(&channel.agent())?;
        let number = |var| vars.number(var).to_u64();
        (number(Var::Period)? == channel.current_period()).then_some(())?;
        let balances = [Side::A, Side::B].map(|side| number(Var::Balance(side)).unwrap_or(0));
        Some(sum(balances.map(|balance| Bytes::try_from(balance).unwrap_or(Bytes::MAX))))
    }

    /// Each session with both its ends, checked.
    fn sessions(&self, wrong: &mut Vec<String>) -> Vec<SessionAccount> {
        let mut sessions = BTreeMap::<SessionId, SessionAccount>::new();
        for party in &self.parties {
            for (id, purchase) in &party.purchases {
                party.signed_at_most(*id, purchase, wrong);
                sessions.entry(*id).or_default().buyer = Some((party.name.clone(), purchase.paid()));
            }
            for (id, sale) in party.sales.iter().filter(|(_, sale)| !sale.paid().is_zero()) {
                party.credited_at_least(*id, sale, wrong);
                sessions.entry(*id).or_default().seller = Some((party.name.clone(), sale.paid()));
            }
        }
        let accounts = sessions.into_iter().map(|(id, account)| {
            let account = SessionAccount { id: id.to_string(), ..account };
            match (&account.buyer, &account.seller) {
                (Some((buyer, paid)), Some((seller, credited))) if credited > paid => wrong.push(format!(
                    "session {id}: {seller} has credited {credited} but {buyer} has paid {paid}"
                )),
                (None, Some((seller, credited))) => {
                    wrong
                        .push(format!("session {id}: {seller} has credited {credited} that nobody has paid"));
                }
                (Some(_), Some(_)) | (_, None) => {}
            }
            account
        });
        accounts.collect()
    }
}

impl Account {
    fn open(name: &str, restored: &Restored) -> Result<Self, AuditError> {
        let wallet = restored.machine::<Wallet>(&format!("{name}/wallet"))?;
        let address = wallet.ok_or(AuditError::NoLedger)?.address();
        let channels = restored.machines::<Channel>(&format!("{name}/channel/"))?;
        let purchases = restored.machines::<Purchase>(&format!("{name}/purchase/"))?;
        let sales = restored.machines::<Sale>(&format!("{name}/sale/"))?;
        Ok(Self {
            name: name.to_owned(),
            address,
            channels: channels.into_iter().map(|(_, channel)| (channel.agent(), channel)).collect(),
            purchases: purchases.into_iter().map(|(_, purchase)| (purchase.id(), purchase)).collect(),
            sales: sales.into_iter().map(|(_, sale)| (sale.id(), sale)).collect(),
        })
    }

    fn account(&self, node: &Node) -> PartyAccount {
        let balance = node.balance(&self.address);
        PartyAccount {
            name: self.name.clone(),
            address: self.address,
            stable: balance.stable,
            pending: balance.pending,
            in_channels: sum(self.channels.values().map(share)),
            owed: sum(self.purchases.values().map(|purchase| purchase.owed().less(purchase.returned()))),
        }
    }

    /// A buyer signs no more than the purchase said.
    fn signed_at_most(&self, id: SessionId, purchase: &Purchase, wrong: &mut Vec<String>) {
        for tally in self.channels.values().map(|channel| channel.tally(&in_channel(id))) {
            if tally.paid > purchase.paid() {
                wrong.push(format!(
                    "session {id}: {} has signed {} but meant to pay {}",
                    self.name,
                    tally.paid,
                    purchase.paid()
                ));
            }
        }
    }

    /// A seller counts as paid only what its channel has credited; a channel forgets old sessions.
    fn credited_at_least(&self, id: SessionId, sale: &Sale, wrong: &mut Vec<String>) {
        let mut known = self.channels.values().map(|channel| channel.tally(&in_channel(id)));
        let Some(tally) = known.find(|tally| tally.period > 0) else { return };
        if sale.paid() > tally.credited {
            wrong.push(format!(
                "session {id}: {} takes {} for paid but its channel has credited {}",
                self.name,
                sale.paid(),
                tally.credited
            ));
        }
    }
}

fn in_channel(id: SessionId) -> coinop_core::channel::SessionId {
    coinop_core::channel::SessionId(id.to_string())
}

/// What a channel would bring this party if it were settled now, before fees.
fn share(channel: &Channel) -> Bytes {
    let (mine, peer) = (channel.mine(), channel.peer());
    let has = mine.deposited.plus(peer.spent).unwrap_or(Bytes::MAX);
    has.less(mine.spent).less(channel.owed()).less(channel.overpayment())
}

/// What this party can prove that the other has signed away.
fn proven(channel: &Channel) -> Bytes {
    channel.evidence().map_or(Bytes::ZERO, |evidence| evidence.message.amount_spent)
}

/// Nobody signs away or takes more than there is, and the agent has what the parties saw it take.
fn within_the_deposits(
    name: &str,
    channel: &Channel,
    (held, counted): (Bytes, Option<Bytes>),
    wrong: &mut Vec<String>,
) {
    let (mine, peer) = (channel.mine(), channel.peer());
    let total = sum([mine.deposited, peer.deposited]);
    let is_open = channel.phase() != Phase::Closed;
    if let Some(counted) = counted.filter(|counted| is_open && total > *counted) {
        let agent = channel.agent();
        wrong.push(format!("channel {agent}: {name} counts deposits of {total}, the agent {counted}"));
    }
    let limits = [
        ("signed away", mine.spent, mine.deposited, peer.spent),
        ("taken", peer.spent, peer.deposited, mine.spent),
    ];
    for (what, spent, deposited, received) in limits {
        // Before the first deposit is final the agent has it, and the channel does not know yet.
        let most = sum([deposited.max(held.less(total)), received]);
        if spent > most {
            let agent = channel.agent();
            wrong.push(format!("channel {agent}: {name} has {what} {spent} of {most}"));
        }
    }
    if proven(channel) != peer.spent {
        let (agent, proven) = (channel.agent(), proven(channel));
        wrong.push(format!("channel {agent}: {name} counts {} but can prove {proven}", peer.spent));
    }
}

/// What one end can prove, the other end has signed: never more, and the same package for the same total.
fn proven_is_signed(holder: (&str, &Channel), payer: (&str, &Channel), wrong: &mut Vec<String>) {
    let Some(evidence) = holder.1.evidence().map(|evidence| &evidence.message) else { return };
    if evidence.period != payer.1.current_period() {
        // The payer has seen the period settled, the holder not yet.
        return;
    }
    let signed = payer.1.newest_package();
    let (agent, (holder, _), (payer, _)) = (evidence.aa_address, holder, payer);
    match signed {
        None => wrong.push(format!("channel {agent}: {holder} holds a package {payer} knows nothing of")),
        Some(signed) if evidence.amount_spent > signed.amount_spent => wrong.push(format!(
            "channel {agent}: {holder} can prove {} but {payer} knows only of {}",
            evidence.amount_spent, signed.amount_spent
        )),
        Some(signed) if evidence.amount_spent == signed.amount_spent && evidence != signed => {
            wrong.push(format!(
                "channel {agent}: {payer} has signed two different packages of {}",
                signed.amount_spent
            ));
        }
        Some(_) => {}
    }
}

fn sum(amounts: impl IntoIterator<Item = Bytes>) -> Bytes {
    // The ledger never holds more than there is; what adds up to more is wrong and seen as such.
    amounts.into_iter().fold(Bytes::ZERO, |sum, amount| sum.plus(amount).unwrap_or(Bytes::MAX))
}
