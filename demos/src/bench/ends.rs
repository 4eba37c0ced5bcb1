//! A channel that is open, at both its ends.

use coinop::core::{
    Bytes, Context, Machine as _, Timestamp,
    channel::{Channel, Command, Event, Limits, Role, SessionId, Sighting, Signer, Terms},
    obyte::{Hash, SecretKey, hash::sha256},
};
use color_eyre::eyre::ensure;
use serde_json::json;

/// What the payer has deposited: more than any bench pays.
const DEPOSIT: Bytes = Bytes::new(1_000_000_000_000_000);
/// What each payment pays.
pub(super) const PRICE: Bytes = Bytes::new(100);
/// When all benches take place.
pub(super) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Both ends of a channel that the payer has funded.
pub(super) struct Ends {
    pub(super) payer: Channel,
    pub(super) receiver: Channel,
    pub(super) signer: Signer,
    pub(super) session: SessionId,
}

impl Ends {
    /// The channel of this number between two parties of its own.
    pub(super) fn open(number: usize) -> color_eyre::Result<Self> {
        let key =
            |who: &str| SecretKey::from_bytes(&sha256(format!("coinop bench {who} {number}").as_bytes()));
        let (signer, seller) = (Signer::new(key("payer")?), Signer::new(key("receiver")?));
        let terms = Terms {
            address_a: seller.address(),
            address_b: signer.address(),
            timeout_seconds: 600,
            salt: number.to_string(),
        };
        let session: String =
            coinop::core::session::SessionId::from_random(&sha256(&number.to_be_bytes())).to_string();
        Ok(Self {
            payer: opened(Channel::new(terms.clone(), Role::Buyer, Limits::default())?)?,
            receiver: opened(Channel::new(terms, Role::Seller, Limits::default())?)?,
            signer,
            session: SessionId(session),
        })
    }
}

/// The channel after it has seen the agent take the buyer's deposit.
fn opened(mut channel: Channel) -> color_eyre::Result<Channel> {
    let terms = channel.terms().clone();
    let (seller, buyer) = (terms.address(Role::Seller), terms.address(Role::Buyer));
    let payload = json!({
        "open": 1, "period": 1, "event_id": 1, seller.as_str(): 0, buyer.as_str(): DEPOSIT,
    });
    let response = Sighting::Response {
        trigger: Hash::of(b"deposit"),
        from: buyer,
        bounced: None,
        payload: Some(payload),
        at: START,
    };
    let decision = channel.decide(&context(), Command::Saw(response))?;
    ensure!(
        decision.events.iter().any(|event| matches!(event, Event::Opened { .. })),
        "the channel did not open"
    );
    for event in &decision.events {
        channel.apply(event);
    }
    Ok(channel)
}

/// What the pure rules are told of the world.
pub(super) const fn context() -> Context {
    Context { now: START, random: [7; 32] }
}
