//! A thing that cannot be sold for now.

use std::rc::Rc;

use coinop_core::session::End;

use super::Party;

impl Party {
    /// Sells nothing from now on, for this reason, and ends the sales under way. With `None` it sells again.
    pub async fn out_of_order(self: &Rc<Self>, why: Option<&str>) {
        *self.out_of_order.borrow_mut() = why.map(str::to_owned);
        if why.is_some() {
            for session in self.live_sales() {
                self.end_sale(session, End::ThingFailed).await;
            }
        }
    }

    pub(super) fn is_out_of_order(&self) -> bool {
        self.out_of_order.borrow().is_some()
    }

    /// Refuses, and says so to spectators, while the thing is out of order.
    pub(super) fn must_be_in_order(&self, thing: &str) -> Result<(), String> {
        let Some(reason) =
            self.out_of_order.borrow().as_ref().map(|why| format!("{thing} is out of order: {why}"))
        else {
            return Ok(());
        };
        self.refuse(reason.clone());
        Err(reason)
    }
}
