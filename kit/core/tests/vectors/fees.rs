//! What units pay for being large and for the load of the network.

use coinop_core::{
    Bytes,
    obyte::{
        fees::{FeeError, TpsRate, oversize_fee},
        number,
    },
};
use coinop_tests::Case;

pub(crate) fn fees(file: &Case<'_>) -> usize {
    file.each("cases", &[], |case| match case.text("type") {
        "oversize" => oversize(case),
        "tps" => tps(case),
        other => panic!("{}: {other} is unknown", case.label()),
    })
}

fn oversize(case: &Case<'_>) {
    let [size, threshold] = ["size", "threshold_size"].map(|key| case.input(key).as_u64().unwrap());

    compare(case, "oversize_fee", oversize_fee(size, threshold));
}

fn tps(case: &Case<'_>) {
    let number = |key| case.input(key).as_f64().unwrap();
    let rate = TpsRate {
        base_tps_fee: number("base_tps_fee"),
        tps_interval: number("tps_interval"),
        tps_fee_multiplier: number("tps_fee_multiplier"),
    };

    compare(case, "local_fee_per_unit", rate.local_fee(number("tps")));
    compare(case, "final_fee_per_unit", rate.final_fee(number("tps")));
}

/// A fee beyond all amounts is refused, with the very number in the refusal.
fn compare(case: &Case<'_>, key: &str, computed: Result<Bytes, FeeError>) {
    match computed {
        Ok(fee) => case.compare(key, fee.get()),
        Err(FeeError(fee)) => {
            let recorded = case.input(key).as_f64().unwrap();
            assert_eq!(fee, number::format(recorded).unwrap(), "{}: {key}", case.label());
        }
    }
}
