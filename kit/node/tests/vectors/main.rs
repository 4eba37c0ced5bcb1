//! The recorded vectors that need a ledger.
#![expect(
    clippy::unwrap_used,
    reason = "a check stops at the first surprise, and the harness names the case"
)]

mod onchain;

fn load(name: &str) -> serde_json::Value {
    let folder = std::env::var("COINOP_VECTORS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors").to_owned());
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}
