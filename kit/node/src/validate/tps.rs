//! The fee that grows with the traffic.

use super::{parents::Base, posted::Posted};
use crate::{
    dag::{Facts, TpsPayer, count_paying, tps_fee_payers},
    js,
    verdict::{Check, Verdict, ensure},
};

/// What the author paid, with what is left from before, has to cover the fee.
pub(super) fn check(posted: &Posted<'_>, base: &Base<'_>, triggers: u64) -> Check {
    if base.mci == 0 {
        return Ok(());
    }
    let count = count_paying(triggers, js::nonnegative(posted.get("max_aa_responses")));
    let payer = TpsPayer {
        best_parent: &base.best_parent,
        last_ball_unit: &base.last_ball.facts.hash,
        timestamp: posted.number("timestamp"),
        count,
    };
    let required = real(posted.dag.local_tps_fee(payer));
    let acceptable = real(posted.dag.current_tps_fee(posted.now, count))
        * posted.dag.params().min_tps_fee_multiplier
        * real(count.cast_signed());
    let authors = posted.authors();
    let order_providers = posted.dag.system_vars().order_providers(base.mci);
    let is_from_order_provider = authors.iter().any(|author| order_providers.contains(author));
    let paid = posted.number("tps_fee");
    for (address, percent) in tps_fee_payers(&Facts::recipients_of(posted.unit), &authors) {
        let share = real(percent.cast_signed()) / 100.0;
        let balance = posted.dag.tps_fees_balance(&address, base.mci);
        let (left, fee) = (real(balance), real(paid.cast_signed()));
        ensure(
            left + fee * share >= required * share,
            format!(
                "tps_fee {paid} + tps fees balance {balance} less than required {required} for address \
                 {address} whose share is {}",
                js::number_text(share)
            ),
        )?;
        let found = left / share + fee;
        if found < acceptable && !is_from_order_provider {
            return Err(Verdict::transient(format!(
                "tps fee on address {address} must be at least {}, found {}",
                js::number_text(acceptable),
                js::number_text(found)
            )));
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "fees are far below 2^53")]
fn real(amount: i64) -> f64 {
    amount as f64
}
