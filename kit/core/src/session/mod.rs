//! The metered session: quote, offer, accept, deposit, two steps, one step at a time, stop, settle.
//!
//! [`Sale`] is the seller's side and [`Purchase`] the buyer's. Neither holds a key: a statement to be
//! signed leaves as an effect, a signed one that comes in is verified in `decide`. Neither knows a
//! channel: a purchase says up to which total to pay, a sale is told the total that was credited.

mod end;
mod exposure;
mod id;
mod name;
mod purchase;
mod refusal;
mod sale;
mod signed;
mod statement;

pub use end::End;
pub use exposure::{ExposureMeter, buyer_exposure, seller_exposure};
pub use id::{SessionId, SessionIdError};
pub use name::{Name, NameError};
pub use purchase::{
    Command as PurchaseCommand, Effect as PurchaseEffect, Event as PurchaseEvent, Order, Patience, Purchase,
    Witness,
};
pub use refusal::Refusal;
pub use sale::{Command as SaleCommand, Effect as SaleEffect, Event as SaleEvent, Quote, Sale, Stopped};
pub use signed::{Opened, Signed};
pub use statement::{Accept, ChannelTerms, Control, Metering, Offer, Reading, Receipt, Statement, Stop};

#[cfg(test)]
mod tests;
