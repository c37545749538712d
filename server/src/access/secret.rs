//! Secrets: made from the system's randomness, kept as hashes, never printed by accident.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
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

/// Whether the password fits; without a hash the work is done all the same, and the answer is no.
#[must_use]
pub fn verify_password(password: &str, hash: Option<&str>) -> bool {
    // A valid hash of a password nobody knows, so that unknown accounts take as long as known ones.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$9Q1Y1tq3Gf0m3w0r9W2Z4m0o4yV0o3m1d2b9c8a7f6E";
    let Ok(parsed) = argon2::PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    let fits = argon2::Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    fits && hash.is_some()
}
