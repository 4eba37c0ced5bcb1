//! A chat with a thing: what people write to it, and what it says.

use alloc::{format, string::String};
use core::fmt;

use crate::{
    Bytes,
    obyte::{Address, Network},
    session::Name,
    tariff::{Quantity, Tariff, Unit},
};

/// The longest line that is read as a command, in bytes.
pub const MAX_COMMAND: usize = 64;

/// What people may ask of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// What one may ask.
    Menu,
    /// What it costs.
    Price,
    /// To begin.
    Start {
        /// The most to be spent, if said: `start 5000`.
        most: Option<Bytes>,
    },
    /// To end, and to settle.
    Stop,
    /// How things stand.
    Status,
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// A word that is none of the menu.
    #[error("that is not in the menu")]
    Unknown,
    /// A limit that is no amount.
    #[error("the limit after \"start\" is no amount: write whole bytes above 0, as in \"start 5000\"")]
    Amount,
}

impl core::str::FromStr for Ask {
    type Err = AskError;

    /// Reads a line: a word of the menu in any case, with or without a slash before it.
    fn from_str(line: &str) -> Result<Self, AskError> {
        if line.len() > MAX_COMMAND {
            return Err(AskError::Unknown);
        }
        let mut words = line.split_whitespace();
        let word = words.next().unwrap_or("menu").trim_start_matches('/');
        let ask = match word.to_ascii_lowercase().as_str() {
            "menu" | "help" | "hi" | "hello" | "?" => Self::Menu,
            "price" => Self::Price,
            "start" => Self::Start { most: words.next().map(amount).transpose()? },
            "stop" => Self::Stop,
            "status" => Self::Status,
            _ => return Err(AskError::Unknown),
        };
        if words.next().is_some() { Err(AskError::Unknown) } else { Ok(ask) }
    }
}

fn amount(word: &str) -> Result<Bytes, AskError> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = word.parse::<u64>().ok().filter(|bytes| digits && *bytes > 0);
    bytes.and_then(|bytes| Bytes::try_from(bytes).ok()).ok_or(AskError::Amount)
}

/// How a thing stands towards the one who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody uses it.
    Free,
    /// Somebody else does.
    Taken,
    /// It waits to be paid.
    Unpaid,
    /// It is on, for the one who asks.
    On {
        /// What was delivered.
        delivered: Quantity,
        /// What was paid.
        paid: Bytes,
    },
    /// Something is wrong with it.
    Faulty,
}

/// What a thing says; the text is what [`Display`](fmt::Display) gives.
///
/// Words in brackets are links in wallets: a touch sends the command, or opens the payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// What one may ask.
    Menu {
        /// What the thing is called.
        thing: &'a Name,
    },
    /// What it costs.
    Price {
        /// What the thing is called.
        thing: &'a Name,
        /// Its tariff.
        tariff: &'a Tariff,
    },
    /// It begins once it is paid.
    Due {
        /// To whom.
        address: &'a Address,
        /// How much.
        amount: Bytes,
        /// On which network.
        network: Network,
    },
    /// It is on.
    Started {
        /// What the thing is called.
        thing: &'a Name,
    },
    /// It is off, and this is the account.
    Stopped {
        /// What was delivered.
        delivered: Quantity,
        /// In which unit.
        unit: Unit,
        /// What that costs.
        cost: Bytes,
        /// What is given back.
        back: Bytes,
    },
    /// How things stand.
    Status {
        /// What the thing is called.
        thing: &'a Name,
        /// In which unit it counts.
        unit: Unit,
        /// How it stands towards who asks.
        standing: Standing,
    },
    /// The line was no command.
    Misread {
        /// Why.
        error: AskError,
    },
    /// The rules say no.
    Refused {
        /// Their words, which are cut short at [`Reply::MAX_REASON`] characters.
        reason: &'a str,
    },
}

impl Reply<'_> {
    /// The longest reason of a refusal that is told, in characters.
    pub const MAX_REASON: usize = 200;
    /// The longest reply, in characters.
    pub const MAX_LENGTH: usize = 512;
}

/// The links of the menu.
const MENU: &str =
    "[price](command:price) | [start](command:start) | [stop](command:stop) | [status](command:status)";

impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Menu { thing } => write!(f, "{}: {MENU}", plain(thing.as_str())),
            Self::Price { thing, tariff } => {
                let (price, per) = (tariff.price(), amount_of(tariff.per(), tariff.unit()));
                let (step, first) = (amount_of(tariff.step(), tariff.unit()), tariff.first_price());
                write!(f, "{}: {price} per {per}, ", plain(thing.as_str()))?;
                write!(f, "paid in steps of {step}; the first payment is {first}. [start](command:start)")
            }
            Self::Due { address, amount, network } => {
                let scheme = match network {
                    Network::Livenet | Network::Devnet => "obyte",
                    Network::Testnet => "obyte-tn",
                };
                write!(f, "[pay {amount}]({scheme}:{address}?amount={}) and it starts", amount.get())
            }
            Self::Started { thing } => write!(f, "{} is on. [stop](command:stop)", plain(thing.as_str())),
            Self::Stopped { delivered, unit, cost, back } => {
                write!(f, "off: {} for {cost}, {back} given back", amount_of(*delivered, *unit))
            }
            Self::Status { thing, unit, standing } => {
                write!(f, "{}: ", plain(thing.as_str()))?;
                status(f, *unit, *standing)
            }
            Self::Misread { error } => write!(f, "{error}. {MENU}"),
            Self::Refused { reason } => write!(f, "no: {}", plain(reason)),
        }
    }
}

fn status(f: &mut fmt::Formatter<'_>, unit: Unit, standing: Standing) -> fmt::Result {
    match standing {
        Standing::Free => f.write_str("free. [start](command:start)"),
        Standing::Taken => f.write_str("somebody else uses it"),
        Standing::Unpaid => f.write_str("waits to be paid"),
        Standing::On { delivered, paid } => {
            write!(f, "on, {} delivered, {paid} paid. [stop](command:stop)", amount_of(delivered, unit))
        }
        Standing::Faulty => f.write_str("out of order"),
    }
}

/// A quantity as people say it: whole seconds and watt-hours where they are whole.
fn amount_of(quantity: Quantity, unit: Unit) -> String {
    let units = quantity.get();
    match unit {
        Unit::Millisecond if units.is_multiple_of(1000) => format!("{} s", units / 1000),
        Unit::MilliwattHour if units.is_multiple_of(1000) => format!("{} Wh", units / 1000),
        Unit::Millisecond | Unit::MilliwattHour | Unit::Opening | Unit::Call => format!("{units} {unit}"),
    }
}

/// Words of others, cut short and without what would make a link or a second line.
fn plain(words: &str) -> String {
    let is_fit = |letter: &char| !letter.is_control() && !matches!(*letter, '[' | ']' | '(' | ')');
    words.chars().filter(is_fit).take(Reply::MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use std::string::ToString as _;

    use proptest::prelude::*;

    use super::*;
    use crate::obyte::SecretKey;

    fn tariff() -> Tariff {
        let (per, step) = (Quantity::new(60_000), Quantity::new(500));
        Tariff::new(Unit::Millisecond, Bytes::new(1200), per, step).unwrap()
    }

    fn lamp() -> Name {
        "lamp [1](command:stop)".parse().unwrap()
    }

    #[test]
    fn the_words_of_the_menu_are_read_in_any_case() {
        let read = |line: &str| line.parse::<Ask>();

        assert_eq!(read(" Menu "), Ok(Ask::Menu));
        assert_eq!(read(""), Ok(Ask::Menu));
        assert_eq!(read("/price"), Ok(Ask::Price));
        assert_eq!(read("START"), Ok(Ask::Start { most: None }));
        assert_eq!(read("start  5000"), Ok(Ask::Start { most: Some(Bytes::new(5000)) }));
        assert_eq!(read("stop"), Ok(Ask::Stop));
        assert_eq!(read("status\n"), Ok(Ask::Status));
    }

    #[test]
    fn what_is_no_command_is_told_so_with_the_menu() {
        for line in ["open sesame", "stop it", "start 1 2", "menü", &"x".repeat(65)] {
            assert_eq!(line.parse::<Ask>(), Err(AskError::Unknown), "{line}");
        }
        for line in ["start 0", "start -5", "start +5", "start 1.5", "start 9000000000000001"] {
            assert_eq!(line.parse::<Ask>(), Err(AskError::Amount), "{line}");
        }
        let reply = Reply::Misread { error: AskError::Unknown }.to_string();
        assert!(reply.starts_with("that is not in the menu. [price](command:price)"), "{reply}");
    }

    #[test]
    fn a_price_is_told_as_people_say_it() {
        let reply = Reply::Price { thing: &"lamp".parse().unwrap(), tariff: &tariff() }.to_string();

        assert_eq!(
            reply,
            "lamp: 1200 B per 60 s, paid in steps of 500 ms; the first payment is 20 B. [start](command:start)"
        );
    }

    #[test]
    fn a_payment_is_a_link_of_its_network() {
        let address = Address::of_key(&SecretKey::from_bytes(&[1; 32]).unwrap().public());
        let due = |network| Reply::Due { address: &address, amount: Bytes::new(20), network }.to_string();

        assert_eq!(due(Network::Testnet), format!("[pay 20 B](obyte-tn:{address}?amount=20) and it starts"));
        assert_eq!(due(Network::Livenet), format!("[pay 20 B](obyte:{address}?amount=20) and it starts"));
    }

    #[test]
    fn a_name_makes_no_link() {
        let reply = Reply::Started { thing: &lamp() }.to_string();

        assert_eq!(reply, "lamp 1command:stop is on. [stop](command:stop)");
    }

    #[test]
    fn each_standing_has_its_words() {
        let told = |standing| {
            let (thing, unit) = (&"meter".parse().unwrap(), Unit::MilliwattHour);
            Reply::Status { thing, unit, standing }.to_string()
        };
        let on = Standing::On { delivered: Quantity::new(2_000), paid: Bytes::new(7) };

        assert_eq!(told(on), "meter: on, 2 Wh delivered, 7 B paid. [stop](command:stop)");
        assert_eq!(told(Standing::Free), "meter: free. [start](command:start)");
        assert_eq!(told(Standing::Taken), "meter: somebody else uses it");
        assert_eq!(told(Standing::Unpaid), "meter: waits to be paid");
        assert_eq!(told(Standing::Faulty), "meter: out of order");
    }

    #[test]
    fn the_account_says_what_was_had_and_what_comes_back() {
        let (delivered, unit) = (Quantity::new(1500), Unit::Millisecond);
        let account = Reply::Stopped { delivered, unit, cost: Bytes::new(30), back: Bytes::new(10) };

        assert_eq!(account.to_string(), "off: 1500 ms for 30 B, 10 B given back");
    }

    proptest! {
        #[test]
        fn any_line_is_a_command_or_is_not_and_replies_are_short(line in "\\PC{0,80}", name in "\\PC{1,64}") {
            let _ = line.parse::<Ask>();
            let thing: Name = name.parse().unwrap();

            for reply in [Reply::Menu { thing: &thing }, Reply::Price { thing: &thing, tariff: &tariff() }, Reply::Refused { reason: &line.repeat(9) }] {
                prop_assert!(reply.to_string().chars().count() <= Reply::MAX_LENGTH);
            }
        }
    }
}
