//! Secrets: made from the system's randomness, kept as hashes, never printed by accident.

use std::sync::Mutex;

use argon2::password_hash::PasswordHasher;
use base64::Engine;
use sha2::{Digest, Sha256};

use super::db::AccessError;

/// A secret in the clear, for the one moment in which it is handed over.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 256 random bits as URL-safe text.
    #[must_use]
    pub fn random() -> Self {
        let bytes: [u8; 32] = rand::random();
        Self(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
    }

    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        digest(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Tokens have 256 bits of entropy, so one round of SHA-256 is enough; passwords take argon2.
#[must_use]
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

pub fn hash_password(password: &str) -> Result<String, AccessError> {
    argon2::Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| AccessError::Hash(error.to_string()))
}

/// Checks passwords in working memory that is kept: 19 MiB a run from the allocator, on whichever thread is free, stays
/// with every thread that ever ran.
#[derive(Default)]
pub struct Verifier {
    /// One for each check that ever ran at the same time; the caller bounds those.
    idle: Mutex<Vec<Vec<argon2::Block>>>,
}

impl Verifier {
    /// Whether the password fits; without a hash the work is done all the same, and the answer is no.
    #[must_use]
    pub fn fits(&self, password: &str, hash: Option<&str>) -> bool {
        // A valid hash of a password nobody knows, so that unknown accounts take as long as known ones.
        const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$9Q1Y1tq3Gf0m3w0r9W2Z4m0o4yV0o3m1d2b9c8a7f6E";
        let mut memory = super::lock(&self.idle).pop().unwrap_or_default();
        let fits = verify(password, hash.unwrap_or(NOBODY), &mut memory);
        super::lock(&self.idle).push(memory);
        fits.unwrap_or(false) && hash.is_some()
    }

    /// Working memories that are kept and not in use.
    #[cfg(test)]
    pub fn memories(&self) -> usize {
        super::lock(&self.idle).len()
    }
}

/// None for a hash that cannot be read.
fn verify(password: &str, hash: &str, memory: &mut Vec<argon2::Block>) -> Option<bool> {
    let hash = argon2::PasswordHash::new(hash).ok()?;
    let algorithm = argon2::Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map_or(Some(argon2::Version::default()), |version| version.try_into().ok())?;
    let params = argon2::Params::try_from(&hash).ok()?;
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    memory.resize(params.block_count(), argon2::Block::new());
    let mut found = vec![0; expected.len()];
    argon2::Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut found, memory)
        .ok()?;
    // Compared in constant time by its type.
    Some(argon2::password_hash::phc::Output::new(&found).ok()? == *expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_in_memory_that_is_used_again() {
        let verifier = Verifier::default();
        let hash = hash_password("correct horse battery").unwrap();
        assert!(verifier.fits("correct horse battery", Some(&hash)));
        assert!(!verifier.fits("wrong horse battery", Some(&hash)));
        assert!(!verifier.fits("correct horse battery", None));
        assert!(!verifier.fits("correct horse battery", Some("not a hash")));
        assert!(verifier.fits("correct horse battery", Some(&hash)));
        assert_eq!(verifier.memories(), 1, "one check at a time, one memory");
    }
}
