//! Sealing what must not be read in the log's bytes: what is said about a person, and bodies with accounts in them.
//!
//! A person has a key per case, and a keyed hash stands in the events instead. Deleting a case's key makes its person
//! unreadable in every copy of the sealed bytes, and breaks nothing: events hold only the hash, which the store's secret keeps
//! from being guessed. A body is sealed with the store's secret itself, and read as long as the store is.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Version byte at the front of sealed bytes.
const SEALED_FORM: u8 = 1;

/// A secret of the store. It is never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The keyed hash of `text` for one purpose; hashes of different purposes have nothing in common.
    #[must_use]
    pub fn mark(&self, purpose: &str, text: &str) -> [u8; 32] {
        self.keyed(purpose, text.as_bytes())
    }

    fn keyed(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&(purpose.len() as u64).to_le_bytes());
        mac.update(purpose.as_bytes());
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

/// A new key for one case.
#[must_use]
pub fn new_key() -> [u8; 32] {
    rand::random()
}

/// Seals `text` for a case. A key is used for one text only, so the nonce needs no chance.
#[must_use]
pub fn seal(key: &[u8; 32], case: u64, text: &str) -> Vec<u8> {
    let cipher = ChaCha20Poly1305::new(Key::from_slice(key));
    let payload = Payload { msg: text.as_bytes(), aad: &case.to_le_bytes() };
    let sealed = cipher.encrypt(Nonce::from_slice(&[0; 12]), payload);
    let mut bytes = vec![SEALED_FORM];
    bytes.extend(sealed.expect("texts are far below the cipher's limit"));
    bytes
}

/// The text, if the bytes were sealed by this key for this case.
#[must_use]
pub fn open(key: &[u8; 32], case: u64, sealed: &[u8]) -> Option<String> {
    let (form, sealed) = sealed.split_first()?;
    if *form != SEALED_FORM {
        return None;
    }
    let cipher = ChaCha20Poly1305::new(Key::from_slice(key));
    let payload = Payload { msg: sealed, aad: &case.to_le_bytes() };
    let text = cipher.decrypt(Nonce::from_slice(&[0; 12]), payload).ok()?;
    String::from_utf8(text).ok()
}

/// Bytes of a nonce.
const NONCE: usize = 12;

/// The key for bodies of one purpose.
fn body_key(secret: &Secret, purpose: &str) -> [u8; 32] {
    secret.keyed(&format!("{purpose}: key"), &[])
}

/// Seals a body that is kept under its hash. The same body has the same bytes, so that it is kept once; the nonce is a keyed
/// hash of it, so that two bodies never share one. Nothing but its length and whether it is the same can be told from them.
#[must_use]
pub fn seal_body(secret: &Secret, purpose: &str, body: &[u8]) -> Vec<u8> {
    let nonce = secret.keyed(&format!("{purpose}: nonce"), body);
    let nonce = Nonce::from_slice(&nonce[..NONCE]);
    let cipher = ChaCha20Poly1305::new(Key::from_slice(&body_key(secret, purpose)));
    let sealed = cipher.encrypt(nonce, Payload { msg: body, aad: purpose.as_bytes() });
    let mut bytes = vec![SEALED_FORM];
    bytes.extend_from_slice(nonce);
    bytes.extend(sealed.expect("bodies are far below the cipher's limit"));
    bytes
}

/// The body, if the bytes were sealed with this secret for this purpose.
#[must_use]
pub fn open_body(secret: &Secret, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (form, sealed) = sealed.split_first()?;
    let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
    if *form != SEALED_FORM {
        return None;
    }
    let cipher = ChaCha20Poly1305::new(Key::from_slice(&body_key(secret, purpose)));
    cipher.decrypt(Nonce::from_slice(nonce), Payload { msg: sealed, aad: purpose.as_bytes() }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_text_opens_with_its_key_for_its_case_alone() {
        let key = new_key();
        let sealed = seal(&key, 7, "张三 13800000000");
        assert!(!sealed.windows(6).any(|part| part == "张三".as_bytes()), "the text is not in the bytes");
        assert_eq!(open(&key, 7, &sealed).as_deref(), Some("张三 13800000000"));
        assert_eq!(open(&new_key(), 7, &sealed), None, "another key");
        assert_eq!(open(&key, 8, &sealed), None, "moved to another case");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key, 7, &changed), None, "byte {at} changed");
        }
    }

    #[test]
    fn a_sealed_body_opens_with_its_stores_secret_for_its_purpose_alone() {
        let secret = Secret::new([7; 32]);
        let body = "code,main\nK1,rtsp://op:hidden77@10.1.2.3/1\n".as_bytes();
        let sealed = seal_body(&secret, "cameras", body);
        assert_eq!(seal_body(&secret, "cameras", body), sealed, "the same body is kept once");
        for hidden in [&b"hidden77"[..], b"10.1.2.3", b"K1", b"rtsp"] {
            assert!(!sealed.windows(hidden.len()).any(|part| part == hidden));
        }
        assert_eq!(open_body(&secret, "cameras", &sealed).as_deref(), Some(body));
        assert_eq!(open_body(&Secret::new([8; 32]), "cameras", &sealed), None, "another store");
        assert_eq!(open_body(&secret, "shapes", &sealed), None, "another purpose");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open_body(&secret, "cameras", &changed), None, "byte {at} changed");
        }
        for cut in 0..sealed.len() {
            assert_eq!(open_body(&secret, "cameras", &sealed[..cut]), None, "cut after {cut} bytes");
        }
        let nonce = |body: &[u8]| seal_body(&secret, "cameras", body)[1..=NONCE].to_vec();
        assert_ne!(nonce(b"one"), nonce(b"two"), "no two bodies are sealed with one nonce");
        assert_eq!(open_body(&secret, "cameras", &seal_body(&secret, "cameras", b"")), Some(Vec::new()));
    }

    /// Golden: marks stand in events for ever.
    #[test]
    fn marks_keep_their_bytes_and_differ_by_secret_and_purpose() {
        let secret = Secret::new([7; 32]);
        let hex: String =
            secret.mark("reporter", "张三")[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "61b7b3e49b6549ae");
        assert_ne!(secret.mark("reporter", "张三"), Secret::new([8; 32]).mark("reporter", "张三"));
        assert_ne!(secret.mark("reporter", "张三"), secret.mark("import", "张三"));
        assert_ne!(secret.mark("a", "bc"), secret.mark("ab", "c"));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
