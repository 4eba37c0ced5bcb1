//! The limit: what the curve itself allows, with nothing around it.

use std::time::{Duration, Instant};

use coinop::core::obyte::hash::sha256;
use k256::ecdsa::{
    Signature, SigningKey, VerifyingKey,
    signature::hazmat::{PrehashSigner as _, PrehashVerifier as _},
};

/// One key of k256, and something to sign.
pub(super) struct Raw {
    secret: SigningKey,
    public: VerifyingKey,
    counter: u64,
}

/// How long a number of signatures took to make, and to verify.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    pub(super) pairs: u32,
    pub(super) signing: Duration,
    pub(super) verifying: Duration,
}

impl Raw {
    pub(super) fn new() -> color_eyre::Result<Self> {
        let secret = SigningKey::from_slice(&sha256(b"coinop bench raw"))?;
        let public = VerifyingKey::from_sec1_bytes(secret.verifying_key().to_sec1_point(true).as_bytes())?;
        Ok(Self { secret, public, counter: 0 })
    }

    /// Signs this many hashes, then verifies the signatures with the parsed key.
    pub(super) fn run(&mut self, pairs: u32) -> color_eyre::Result<Spent> {
        let first = self.counter;
        self.counter += u64::from(pairs);
        let hashes: Vec<_> = (first..self.counter).map(|number| sha256(&number.to_be_bytes())).collect();
        let mut signatures: Vec<Signature> = Vec::with_capacity(hashes.len());
        let began = Instant::now();
        for hash in &hashes {
            signatures.push(self.secret.sign_prehash(hash)?);
        }
        let signed = Instant::now();
        for (hash, signature) in hashes.iter().zip(&signatures) {
            self.public.verify_prehash(hash, signature)?;
        }
        let verifying = signed.elapsed();
        Ok(Spent { pairs, signing: signed - began, verifying })
    }
}

impl Spent {
    pub(super) fn lasted(self) -> Duration {
        self.signing + self.verifying
    }

    pub(super) fn sign_per_s(self) -> f64 {
        f64::from(self.pairs) / self.signing.as_secs_f64()
    }

    pub(super) fn verify_per_s(self) -> f64 {
        f64::from(self.pairs) / self.verifying.as_secs_f64()
    }

    /// Payments a second, if a payment were one signature made and one verified.
    pub(super) fn limit_per_s(self) -> f64 {
        f64::from(self.pairs) / self.lasted().as_secs_f64()
    }
}
