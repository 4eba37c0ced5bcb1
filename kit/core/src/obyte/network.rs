//! Obyte's networks; what is signed for one means nothing on another.

use serde::{Deserialize, Serialize};

/// A network, told by the suffix of its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The public network with real money.
    Livenet,
    /// The public network for trying out.
    Testnet,
    /// A network of one's own; the embedded node is one.
    Devnet,
}

impl Network {
    /// The version of today's units and signed packages.
    pub const fn version(self) -> &'static str {
        self.versions()[3]
    }

    /// The version of signed packages that older libraries read, too.
    pub const fn package_version(self) -> &'static str {
        self.versions()[2]
    }

    /// The mark of this network in its units.
    pub const fn alt(self) -> &'static str {
        match self {
            Self::Livenet => "1",
            Self::Testnet => "2",
            Self::Devnet => "3",
        }
    }

    /// Every version known on this network, oldest first.
    pub const fn versions(self) -> [&'static str; 4] {
        match self {
            Self::Livenet => ["1.0", "2.0", "3.0", "4.0"],
            Self::Testnet => ["1.0t", "2.0t", "3.0t", "4.0t"],
            Self::Devnet => ["1.0dev", "2.0dev", "3.0dev", "4.0dev"],
        }
    }
}
