use core::fmt;

use crate::obyte::{PublicKey, hash};

/// What both sides of a pairing show, so that people can see that nobody stands between them: twenty
/// digits of a hash of both keys, the same on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u32; 4]);

impl Fingerprint {
    /// The fingerprint of two devices, in whichever order.
    pub fn of(one: &PublicKey, other: &PublicKey) -> Self {
        let (low, high) = if one.as_bytes() <= other.as_bytes() { (one, other) } else { (other, one) };
        let mut both = [0; 66];
        both[..33].copy_from_slice(low.as_bytes());
        both[33..].copy_from_slice(high.as_bytes());
        let digest = hash::sha256(&both);
        let group = |at: usize| {
            let eight =
                digest[at * 8..][..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            u32::try_from(eight % 100_000).unwrap_or_default()
        };
        Self([group(0), group(1), group(2), group(3)])
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two, three, four] = self.0;
        write!(f, "{one:05} {two:05} {three:05} {four:05}")
    }
}
