//! The market: keeps signed listings and shows them to those who ask.

use std::rc::{Rc, Weak};

use coinop_core::{
    market::{self, Directory},
    obyte::address::Address,
    session::NameError,
};
use serde_json::{Value, json};

use super::wire::{Letter, Request};
use crate::{
    actors::{self, Birth, Handle, Wiring},
    agenda::{Rank, Task},
    network::{self, Network},
    notice::Fact,
    restore::Restored,
    shell::Shell,
};

/// The stream of the market's directory.
const STREAM: &str = "market/directory";
/// How many listings an answer holds at most.
const SHOWN: usize = 16;

/// A market's counter.
pub struct Desk {
    shell: Shell,
    network: Network,
    rank: Rank,
    address: Address,
    directory: Handle<Directory>,
}

impl Desk {
    /// Opens the market at `address`, with the listings the journal holds.
    ///
    /// # Errors
    ///
    /// [`serde_json::Error`] when its state cannot be read or written.
    pub fn open(
        shell: &Shell,
        network: &Network,
        rank: Rank,
        address: Address,
        restored: &Restored,
    ) -> Result<Rc<Self>, serde_json::Error> {
        let (directory, birth) = match restored.machine::<Directory>(STREAM)? {
            Some(directory) => (directory, Birth::Restored),
            None => (Directory::default(), Birth::New),
        };
        let wiring = Wiring {
            stream: STREAM.to_owned(),
            who: "market".to_owned(),
            rank,
            outlet: Box::new(|effect| match effect {}),
            narrate: Box::new(|_, event| narrate(event)),
        };
        let directory = actors::spawn(shell, directory, birth, wiring)?;
        let desk = Rc::new(Self { shell: shell.clone(), network: network.clone(), rank, address, directory });
        let keeper: Weak<Self> = Rc::downgrade(&desk);
        let mailbox = Rc::new(move |letter| -> Task {
            let keeper = keeper.clone();
            Box::pin(async move {
                if let Some(desk) = keeper.upgrade() {
                    desk.receive(letter).await;
                }
            })
        });
        network.move_in(address.as_str(), rank, mailbox);
        Ok(desk)
    }

    async fn receive(&self, letter: network::Letter) {
        let Ok(Letter::Request { request, tag }) = Letter::parse(&letter.body) else { return };
        let answer = match request {
            Request::Publish { package } => {
                let published = self.directory.ask(market::Command::Publish(package)).await;
                published.map(|()| json!(true)).map_err(|error| error.to_string())
            }
            Request::Find { kind } => self.find(&kind),
            Request::Quote { .. }
            | Request::Statement { .. }
            | Request::Reading { .. }
            | Request::CreateChannel { .. }
            | Request::Pay { .. } => Err("this is a market: publish and find are served here".into()),
        };
        if let Err(error) = &answer {
            let fact = Fact::Refusal { reason: error.clone() };
            self.shell.tell(self.rank, "market", fact);
        }
        let letter_back = match answer {
            Ok(response) => Letter::Answer { response, tag },
            Err(error) => Letter::Failure { error, tag },
        };
        if let Ok(body) = serde_json::to_vec(&letter_back)
            && let Err(error) = self.network.send(self.address.as_str(), &letter.from, body)
        {
            tracing::warn!(%error, "the market's answer was not sent");
        }
    }
}

impl Desk {
    fn find(&self, kind: &str) -> Result<Value, String> {
        let kind = kind.parse().map_err(|error: NameError| error.to_string())?;
        let directory = self.directory.state();
        let found = directory.find(&kind, self.shell.now());
        let packages: Vec<_> = found.into_iter().take(SHOWN).map(|published| &published.package).collect();
        serde_json::to_value(packages).map_err(|error| error.to_string())
    }
}

fn narrate(event: &market::Event) -> Vec<Fact> {
    match event {
        market::Event::Published { published, .. } => vec![Fact::Listing {
            thing: published.listing.thing.to_string(),
            service: published.listing.kind.to_string(),
            step: published.listing.tariff.step_price(),
        }],
        market::Event::Withdrawn { .. } | market::Event::Forgotten { .. } => Vec::new(),
    }
}
