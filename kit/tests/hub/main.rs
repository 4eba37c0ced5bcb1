//! The client of a hub, and hubs that lie, hang up, or talk nonsense: nobody believes them, and nothing is
//! lost but time.
#![expect(clippy::unwrap_used, reason = "a scene stops at the first surprise")]

mod liar;

use std::{rc::Rc, time::Duration};

use coinop::{
    agenda::Agenda,
    core::{
        Bytes, Timestamp,
        obyte::{Network, unit::Output},
        wallet::Request,
    },
    hub::{Hub, HubLedger, State},
    ledger::{Ledger as _, LedgerError},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::liar::{GIFT, Liar, payee, payer};

/// Long enough for whatever has to happen on a busy machine.
const AGES: Duration = Duration::from_mins(1);
const MAX_FEE: Bytes = Bytes::new(1_000_000);

/// Runs a scene with a hub that says the truth as `lie` changes it.
fn with(lie: impl Fn(&str, Value) -> Option<Value> + 'static, scene: impl AsyncFnOnce(HubLedger, Liar)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let liar = Liar::open(Rc::new(lie)).await;
        let hub = Hub::connect(&liar.url, Network::Devnet).unwrap();
        let ledger = HubLedger::new(hub, Agenda::new(Timestamp::default()), MAX_FEE);
        timeout(AGES, scene(ledger, liar)).await.expect("the scene comes to its end");
    });
}

/// The answer to a command, changed; the others as they are.
fn changing(
    command: &'static str,
    change: impl Fn(&mut Value) + 'static,
) -> impl Fn(&str, Value) -> Option<Value> {
    move |asked, mut answer| {
        if asked == command {
            change(&mut answer);
        }
        Some(answer)
    }
}

fn pay() -> Request {
    Request { outputs: vec![Output { address: payee(), amount: Bytes::new(1_000) }], ..Request::default() }
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, LedgerError>) -> String {
    match answer {
        Err(LedgerError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn what_a_truthful_hub_shows_is_believed() {
    with(
        |_, answer| Some(answer),
        async |ledger, _liar| {
            let coins = ledger.coins(payer()).await.unwrap();

            assert_eq!(
                coins.iter().map(|coin| (coin.amount, coin.stable)).collect::<Vec<_>>(),
                [(GIFT, true)]
            );
            assert_eq!(ledger.definition_needed(payer()).await, Ok(true));
            assert!(ledger.quote(payer(), &pay()).await.unwrap().tps_fee < MAX_FEE);
        },
    );
}

#[test]
fn a_unit_that_was_changed_on_the_way_is_not_believed() {
    let richer = |history: &mut Value| {
        let outputs = &mut history["joints"][0]["unit"]["messages"][0]["payload"]["outputs"];
        outputs[0]["amount"] = json!(9_000_000_000_u64);
    };
    with(changing("light/get_history", richer), async |ledger, _liar| {
        let why = refusal(ledger.coins(payer()).await);

        assert!(why.contains("hash"), "{why}");
    });
}

#[test]
fn a_unit_that_never_was_is_not_believed() {
    let another = |history: &mut Value| {
        let copy = history["joints"][0].clone();
        history["joints"].as_array_mut().unwrap().push(copy);
        history["joints"][1]["unit"]["timestamp"] = json!(1);
    };
    with(changing("light/get_history", another), async |ledger, _liar| {
        assert!(refusal(ledger.coins(payer()).await).contains("not what its hash says"));
    });
}

#[test]
fn what_is_called_final_without_a_proof_is_pending() {
    let unproven = |history: &mut Value| {
        if let Some(fields) = history.as_object_mut() {
            fields.remove("proofchain_balls");
        }
    };
    with(changing("light/get_history", unproven), async |ledger, _liar| {
        let coins = ledger.coins(payer()).await.unwrap();

        assert_eq!(coins.iter().map(|coin| coin.stable).collect::<Vec<_>>(), [false]);
    });
}

#[test]
fn a_proof_by_nobody_is_none() {
    let nobody = |history: &mut Value| history["unstable_mc_joints"] = json!([]);
    with(changing("light/get_history", nobody), async |ledger, _liar| {
        assert!(refusal(ledger.coins(payer()).await).contains("signed by 0 order providers"));
    });
}

#[test]
fn a_fee_out_of_all_measure_is_not_paid() {
    let dear = |quote: &mut Value| quote["tps_fee"] = json!(5_000_000_000_u64);
    with(changing("light/get_parents_and_last_ball_and_witness_list_unit", dear), async |ledger, _liar| {
        let why = refusal(ledger.quote(payer(), &pay()).await);

        assert!(why.contains("5000000000 B") && why.contains("1000000 B at most"), "{why}");
    });
}

#[test]
fn nonsense_is_refused_and_breaks_nothing() {
    for nonsense in
        [json!(null), json!(7), json!("x"), json!([[]]), json!({ "joints": 1 }), json!({ "joints": [1] })]
    {
        let said = nonsense.clone();
        with(
            move |command, answer| Some(if command.starts_with("light/") { said.clone() } else { answer }),
            async move |ledger, _liar| {
                let coins = ledger.coins(payer()).await;
                // Nothing at all is an empty history.
                assert!(coins.as_ref().map_or(true, Vec::is_empty), "{nonsense}: {coins:?}");
                assert!(ledger.quote(payer(), &pay()).await.is_err(), "{nonsense}");
            },
        );
    }
}

#[test]
fn a_hub_that_hangs_up_is_asked_again_later_and_nothing_is_taken_for_an_answer() {
    with(
        |command, answer| (command != "light/get_history").then_some(answer),
        async |ledger, liar| {
            assert_eq!(ledger.coins(payer()).await, Err(LedgerError::NoAnswer));

            liar.tell_the_truth();
            while ledger.coins(payer()).await == Err(LedgerError::NoAnswer) {}
            assert_eq!(ledger.coins(payer()).await.unwrap().len(), 1, "the connection came back by itself");
        },
    );
}

#[test]
fn what_is_said_again_or_to_nobody_is_not_heard() {
    with(
        |_, answer| Some(answer),
        async |ledger, liar| {
            liar.repeat_everything();

            assert_eq!(ledger.coins(payer()).await.unwrap().len(), 1);
            assert_eq!(ledger.definition_needed(payer()).await, Ok(true));
            assert_eq!(ledger.coins(payer()).await.unwrap().len(), 1);
        },
    );
}

#[test]
fn frames_that_are_none_end_the_connection_and_it_comes_back() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for garbage in ["", "[", "nonsense", r#"["response",{}]"#, r#"["request",{"command":1}]"#, &deep] {
        let garbage = garbage.to_owned();
        with(
            |_, answer| Some(answer),
            async move |ledger, liar| {
                assert_eq!(ledger.coins(payer()).await.unwrap().len(), 1);
                let before = liar.connections();

                liar.say(&garbage);

                while liar.connections() == before {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                while ledger.definition_needed(payer()).await != Ok(true) {}
            },
        );
    }
}

#[test]
fn another_network_is_refused_for_good() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let liar = Liar::open(Rc::new(|_: &str, answer| Some(answer))).await;
        let hub = Hub::connect(&liar.url, Network::Livenet).unwrap();

        let why = refusal(timeout(AGES, hub.ask("get_witnesses", None)).await.unwrap());

        assert!(why.contains("another network"), "{why}");
        assert!(matches!(hub.state(), State::Wrong(_)));
        assert!(refusal(hub.ask("get_witnesses", None).await).contains("another network"), "at once");
        assert_eq!(liar.connections(), 1, "it is not tried again");
    });
}
