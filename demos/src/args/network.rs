//! `coinop node` and `coinop wallet`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use coinop::core::{
    Bytes,
    obyte::{Address, Network},
};

use crate::{scenario, wallet::uri::Payee};

/// How the node serves others.
#[derive(Args, Clone, Debug)]
#[command(after_help = NODE_EXAMPLES)]
pub(crate) struct Node {
    /// Where to listen: WebSocket for clients, a page for people. 0.0.0.0:6611 for a whole LAN.
    #[arg(long, default_value = "127.0.0.1:6611", value_name = "IP:PORT")]
    pub(crate) listen: SocketAddr,
    /// Keep the ledger in this folder, and go on from there; in memory when nothing is said.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Give test money to whoever asks on the page, this much an address in all.
    #[arg(long, value_name = "AMOUNT", num_args = 0..=1, default_missing_value = "1GB",
          value_parser = scenario::quantity::bytes)]
    pub(crate) faucet: Option<Bytes>,
    /// How long until a unit is final, at the latest.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = scenario::quantity::span)]
    pub(crate) stable_after: Duration,
    /// Where the node's own keys come from: another seed is another network.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

const NODE_EXAMPLES: &str = "Examples:
  coinop node --faucet                            a network of your own, with money for everybody
  coinop node --listen 0.0.0.0:6611 --data-dir ./node --faucet 10MB
  curl http://127.0.0.1:6611/status
  curl --data ADDRESS http://127.0.0.1:6611/faucet";

/// A wallet, and what to do with it.
#[derive(Args, Clone, Debug)]
#[command(after_help = WALLET_EXAMPLES)]
pub(crate) struct Wallet {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: WalletCommand,
    /// The file of its keys; coinop/wallet in your data folder when nothing is said.
    #[arg(long = "wallet", global = true, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// The network.
    #[arg(long, global = true, value_enum, default_value = "devnet")]
    pub(crate) network: NetworkName,
    /// The hub; a node on this machine on a devnet, a public one elsewhere, when nothing is said.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) hub: Option<String>,
    /// One JSON object instead of words.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Ask nothing: for scripts.
    #[arg(long, global = true)]
    pub(crate) yes: bool,
}

const WALLET_EXAMPLES: &str = "Examples:
  coinop wallet new                               twelve words, shown once; the file is encrypted
  coinop wallet new --burner                      for a demo: not encrypted
  coinop wallet address --amount 10kB             its address as text and as a QR code
  coinop wallet balance --json
  coinop wallet send ADDRESS 1.5MB
  coinop wallet send 'obyte:ADDRESS?amount=1500'
  coinop wallet data-feed temperature=21.5
  coinop wallet sign 'I was here' > signed.json
  coinop wallet verify signed.json
  coinop wallet watch                             says what comes and goes, until Ctrl-C

The passphrase is asked for, or taken from COINOP_PASSPHRASE.";

/// What to do with a wallet.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Make a new wallet: its words are shown once.
    New {
        /// Do not encrypt it: for demos and test money.
        #[arg(long)]
        burner: bool,
    },
    /// Make a wallet of words that you have; they are read from standard input.
    Import {
        /// Do not encrypt it: for demos and test money.
        #[arg(long)]
        burner: bool,
    },
    /// Show its address, as text and as a QR code.
    Address {
        /// Ask for this much.
        #[arg(long, value_parser = scenario::quantity::bytes)]
        amount: Option<Bytes>,
    },
    /// Show what it has.
    Balance,
    /// Show what came and went.
    History,
    /// Pay somebody.
    Send {
        /// Whom: an address, or an obyte: link.
        #[arg(value_name = "ADDRESS|LINK")]
        to: Payee,
        /// How much: bytes as a number, or such as 10kB, 1.5MB.
        #[arg(value_parser = scenario::quantity::bytes)]
        amount: Option<Bytes>,
        /// Do not wait until it is final.
        #[arg(long)]
        no_wait: bool,
    },
    /// Post data for agents to read.
    DataFeed {
        /// Names and values.
        #[arg(value_name = "NAME=VALUE", required = true)]
        feeds: Vec<String>,
        /// Do not wait until it is final.
        #[arg(long)]
        no_wait: bool,
    },
    /// Sign a message.
    Sign {
        /// What to sign.
        message: String,
    },
    /// Check a signed message.
    Verify {
        /// The file; standard input when nothing is said.
        file: Option<PathBuf>,
        /// Who must have signed it.
        #[arg(long, value_name = "ADDRESS")]
        by: Option<Address>,
    },
    /// Say what comes and goes, until Ctrl-C.
    Watch,
}

/// A network by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NetworkName {
    /// A network of one's own, such as `coinop node`.
    Devnet,
    /// The public network for trying out.
    Testnet,
    /// The public network with real money.
    Livenet,
}

impl NetworkName {
    /// The network.
    pub(crate) const fn network(self) -> Network {
        match self {
            Self::Devnet => Network::Devnet,
            Self::Testnet => Network::Testnet,
            Self::Livenet => Network::Livenet,
        }
    }

    /// Where its hub is when nothing is said.
    pub(crate) const fn hub(self) -> &'static str {
        match self {
            Self::Devnet => "ws://127.0.0.1:6611",
            Self::Testnet => "wss://obyte.org/bb-test",
            Self::Livenet => "wss://obyte.org/bb",
        }
    }
}
