//! What others ask of this party.

use std::rc::Rc;

use coinop_core::{
    obyte::address::Address,
    session::{PurchaseCommand, SaleCommand, Signed, Statement},
};

use super::{Party, wire::Request};

impl Party {
    pub(super) async fn serve(self: &Rc<Self>, from: Address, request: Request, tag: String) {
        match request {
            Request::Publish { .. } | Request::Find { .. } => {
                self.answer(from, tag, Err("this is no market".into()));
            }
            Request::Quote { thing, buyer } => {
                let answer = if buyer == from {
                    self.quote(buyer, &thing).await
                } else {
                    Err("an offer goes to the one who asks".into())
                };
                self.answer(from, tag, answer);
            }
            Request::Statement { package } => self.statement(from, package).await,
            Request::Reading { reading } => {
                self.ask_purchase(reading.session, PurchaseCommand::Read(reading)).await;
            }
            Request::CreateChannel { address, timeout, asset, version, salt } => {
                let answer = if address != from {
                    Err("a channel is with the one who asks".into())
                } else if version != coinop_core::channel::AGENT_VERSION {
                    Err(format!("unsupported version {version}"))
                } else {
                    self.create_channel(address, timeout, &asset, &salt)
                };
                self.answer(from, tag, answer);
            }
            Request::Pay { signed_package, message } => {
                self.paid(from, tag, *signed_package, message.session).await;
            }
        }
    }

    /// Something signed comes in; the machine it is for verifies it.
    async fn statement(self: &Rc<Self>, from: Address, package: Signed) {
        let opened = package.open().and_then(|opened| {
            let signer = opened.signer();
            opened.by(signer)
        });
        let statement = match opened {
            Ok(statement) => statement,
            Err(error) => {
                return self.refuse(format!("a statement of {} makes no sense: {error}", self.call_it(from)));
            }
        };
        match statement {
            Statement::Offer(offer) => self.offered(offer, package),
            Statement::Accept(accept) => {
                self.accepted(accept.session, package).await;
            }
            Statement::Stop(stop) => self.instructed(stop.session, SaleCommand::Instruct(package)).await,
            Statement::Control(control) => {
                self.instructed(control.session, SaleCommand::Instruct(package)).await;
            }
            Statement::Receipt(receipt) => {
                self.ask_purchase(receipt.session, PurchaseCommand::Receipt(package)).await;
            }
            Statement::Listing(_) | Statement::Withdrawal(_) => {
                self.refuse(format!("{} sends a listing to one who is no market", self.call_it(from)));
            }
        }
    }
}
