//! Making a unit: coins, change, sizes and fees.

use alloc::{borrow::ToOwned, boxed::Box, vec, vec::Vec};

use serde_json::json;

use super::{Attachment, Coin, Quote, Refusal, Request, Wallet};
use crate::{
    Bytes,
    obyte::{
        address::Address,
        definition,
        fees::{self, THRESHOLD_SIZE},
        hash::Hash,
        key::SecretKey,
        unit::{Author, Input, Message, Output, Payment, Unit, UnitError},
    },
};

/// How many inputs a payment may have.
const MAX_INPUTS: usize = 128;

/// Signs a unit of a wallet and names it: what the ledger is given.
///
/// # Errors
///
/// [`UnitError`] when something inside cannot be hashed; never for a unit a wallet made.
pub fn seal(mut unit: Unit, key: &SecretKey) -> Result<Unit, UnitError> {
    let signature = key.sign(&unit.hash_to_sign()?);
    unit.sign(&Address::of_key(&key.public()), &signature);
    unit.name()?;
    Ok(unit)
}

impl Wallet {
    /// The unit, and the coins it spends: as few as will do, in the wallet's order.
    pub(super) fn compose(
        &self,
        request: &Request,
        quote: &Quote,
        definition_needed: bool,
    ) -> Result<(Box<Unit>, Vec<Coin>), Refusal> {
        check(request)?;
        let coins = self.spendable();
        let draft = self.draft(request, quote, definition_needed)?;
        let paid = sum(request.outputs.iter().map(|output| output.amount))?;
        let mut wanted = paid;
        for count in 1..=coins.len().min(MAX_INPUTS) {
            let inputs = &coins[..count];
            let total = sum(inputs.iter().map(|coin| coin.amount))?;
            if total < paid {
                continue;
            }
            match self.fit(&draft, request, inputs, total)? {
                Fit::Unit(unit) => return Ok((unit, inputs.to_vec())),
                Fit::Wants(more) => wanted = more,
            }
        }
        if wanted == paid && !coins.is_empty() {
            wanted = self.price(&draft, request, &coins[..1])?;
        }
        let available = sum(coins.iter().take(MAX_INPUTS).map(|coin| coin.amount))?;
        if coins.len() > MAX_INPUTS {
            return Err(Refusal::TooManyCoins { wanted, most: MAX_INPUTS, available });
        }
        Err(Refusal::Short { wanted, available })
    }

    /// Everything but the payment.
    fn draft(&self, request: &Request, quote: &Quote, definition_needed: bool) -> Result<Unit, Refusal> {
        let messages = request.messages.iter().map(message).collect::<Result<Vec<_>, _>>()?;
        let definition = definition_needed.then(|| definition::sig(&self.key));
        let mut parent_units = quote.parents.clone();
        parent_units.sort_unstable_by_key(alloc::string::ToString::to_string);
        Ok(Unit {
            version: self.network.version().to_owned(),
            alt: self.network.alt().to_owned(),
            messages,
            authors: vec![Author::unsigned(self.address, definition)],
            timestamp: quote.timestamp,
            parent_units,
            last_ball: Some(quote.last_ball),
            last_ball_unit: Some(quote.last_ball_unit),
            tps_fee: Some(quote.tps_fee),
            oversize_fee: None,
            burn_fee: None,
            max_aa_responses: request.max_aa_responses,
            earned_headers_commission_recipients: Vec::new(),
            headers_commission: Bytes::ZERO,
            payload_commission: Bytes::ZERO,
            unit: Hash::from_bytes([0; 32]),
            main_chain_index: None,
            actual_tps_fee: None,
        })
    }

    /// Tries to pay with these coins: with change, or exactly.
    fn fit(&self, draft: &Unit, request: &Request, inputs: &[Coin], total: Bytes) -> Result<Fit, Refusal> {
        let with_change = self.price(draft, request, inputs)?;
        if let Ok(change) = total.minus(with_change)
            && !change.is_zero()
        {
            let unit = priced(with_payment(draft, &request.outputs, inputs, Some((self.address, change)))?)?;
            return Ok(Fit::Unit(unit.into()));
        }
        if request.outputs.is_empty() {
            return Ok(Fit::Wants(with_change.plus(Bytes::new(1))?));
        }
        let mut unit = priced(with_payment(draft, &request.outputs, inputs, None)?)?;
        let exactly = sum(request.outputs.iter().map(|output| output.amount))?.plus(unit.fees()?)?;
        match total.minus(exactly) {
            // Too little to be worth an output: the ledger books it for the next fee.
            Ok(rest) => {
                unit.tps_fee = Some(unit.tps_fee.unwrap_or_default().plus(rest)?);
                Ok(Fit::Unit(unit.into()))
            }
            Err(_short) => Ok(Fit::Wants(exactly)),
        }
    }

    /// The outputs and all fees of a unit with these inputs and change.
    fn price(&self, draft: &Unit, request: &Request, inputs: &[Coin]) -> Result<Bytes, Refusal> {
        let change = Some((self.address, Bytes::new(1)));
        let unit = priced(with_payment(draft, &request.outputs, inputs, change)?)?;
        Ok(sum(request.outputs.iter().map(|output| output.amount))?.plus(unit.fees()?)?)
    }
}

/// Whether coins suffice.
enum Fit {
    Unit(Box<Unit>),
    Wants(Bytes),
}

fn check(request: &Request) -> Result<(), Refusal> {
    if request.outputs.iter().any(|output| output.amount.is_zero()) {
        return Err(Refusal::ZeroOutput);
    }
    if request.max_aa_responses == Some(0) {
        return Err(Refusal::ZeroResponses);
    }
    Ok(())
}

fn message(attachment: &Attachment) -> Result<Message, UnitError> {
    match attachment {
        Attachment::Data { payload } => Message::new("data", payload.clone()),
        Attachment::DataFeed { payload } => Message::new("data_feed", payload.clone()),
        Attachment::Definition { address, definition } => {
            Message::new("definition", json!({ "address": address, "definition": definition }))
        }
    }
}

fn with_payment(
    draft: &Unit,
    outputs: &[Output],
    inputs: &[Coin],
    change: Option<(Address, Bytes)>,
) -> Result<Unit, UnitError> {
    let inputs = inputs.iter().map(|coin| Input::Transfer {
        unit: coin.id.unit,
        message_index: coin.id.message_index,
        output_index: coin.id.output_index,
    });
    let change = change.map(|(address, amount)| Output { address, amount });
    let outputs = outputs.iter().copied().chain(change);
    let payment = Payment::new(inputs.collect(), outputs.collect());
    let mut unit = draft.clone();
    unit.messages.push(Message::payment(&payment)?);
    Ok(unit)
}

/// Fills in what the unit costs.
fn priced(mut unit: Unit) -> Result<Unit, Refusal> {
    unit.measure()?;
    let size = unit.headers_commission.get() + unit.payload_commission.get();
    let oversize = fees::oversize_fee(size, THRESHOLD_SIZE)?;
    unit.oversize_fee = (!oversize.is_zero()).then_some(oversize);
    Ok(unit)
}

fn sum(amounts: impl Iterator<Item = Bytes>) -> Result<Bytes, Refusal> {
    amounts.into_iter().try_fold(Bytes::ZERO, |sum, amount| Ok(sum.plus(amount)?))
}
