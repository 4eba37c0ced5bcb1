//! Payment links: `obyte:ADDRESS?amount=BYTES`.

use std::str::FromStr;

use coinop::core::{
    Bytes,
    obyte::{Address, Network},
};

/// Whom to pay, and how much if the link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payee {
    /// Whom.
    pub(crate) address: Address,
    /// How much.
    pub(crate) amount: Option<Bytes>,
    /// The network, when it is a link.
    pub(crate) network: Option<Network>,
}

/// The scheme of a network's links. A devnet has the livenet's: its addresses are nowhere else of use.
pub(super) const fn scheme(network: Network) -> &'static str {
    match network {
        Network::Livenet | Network::Devnet => "obyte",
        Network::Testnet => "obyte-tn",
    }
}

/// A link that asks for a payment.
pub(crate) fn link(network: Network, address: Address, amount: Option<Bytes>) -> String {
    let amount = amount.map(|amount| format!("?amount={}", amount.get())).unwrap_or_default();
    format!("{}:{address}{amount}", scheme(network))
}

impl FromStr for Payee {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let schemes =
            [("obyte:", Network::Livenet), ("byteball:", Network::Livenet), ("obyte-tn:", Network::Testnet)];
        let scheme =
            schemes.iter().find_map(|(scheme, network)| Some((text.strip_prefix(scheme)?, *network)));
        let (rest, network) = match scheme {
            Some((rest, network)) => (rest.trim_start_matches('/'), Some(network)),
            None => (text, None),
        };
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let address = address.parse().map_err(|error| format!("{address:?} is no address: {error}"))?;
        let mut amount = None;
        for field in query.split('&').filter(|field| !field.is_empty()) {
            match field.split_once('=') {
                Some(("amount", bytes)) => {
                    let bytes = bytes.parse::<u64>().ok().and_then(|bytes| Bytes::try_from(bytes).ok());
                    amount = Some(bytes.ok_or_else(|| format!("{field:?} is no amount in bytes"))?);
                }
                Some(("asset", "base")) => {}
                Some(("asset", asset)) => return Err(format!("this wallet pays bytes only, not {asset}")),
                // What else a link may say is not for a payment.
                Some(_) | None => {
                    return Err(format!("the link says {field:?}, which this wallet cannot do"));
                }
            }
        }
        Ok(Self { address, amount, network })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "JBX6KEMJYXZKHK5SQ553L6DCZLM6FSCS";

    fn payee(text: &str) -> Result<Payee, String> {
        text.parse()
    }

    #[test]
    fn a_link_reads_back() {
        let address: Address = ADDRESS.parse().unwrap();
        for (network, amount) in [(Network::Livenet, None), (Network::Testnet, Some(Bytes::new(1_500)))] {
            let read = payee(&link(network, address, amount)).unwrap();

            assert_eq!(read, Payee { address, amount, network: Some(network) });
        }
    }

    #[test]
    fn an_address_alone_says_neither_amount_nor_network() {
        let read = payee(ADDRESS).unwrap();

        assert_eq!((read.amount, read.network), (None, None));
    }

    #[test]
    fn a_link_that_asks_for_something_else_is_refused() {
        for (text, word) in [
            ("obyte:XYZ", "no address"),
            (&format!("obyte:{ADDRESS}?amount=1.5"), "no amount"),
            (&format!("obyte:{ADDRESS}?amount=99999999999999999999"), "no amount"),
            (&format!("obyte:{ADDRESS}?amount=1&asset=TOKEN"), "bytes only"),
            (&format!("obyte:{ADDRESS}?base64data=e30"), "cannot do"),
        ] {
            assert!(payee(text).unwrap_err().contains(word), "{text}");
        }
    }
}
