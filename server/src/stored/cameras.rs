//! The stored form of an adopted list of cameras: a body beside the events, sealed, because it holds addresses and accounts.
//!
//! The event names the sealed bytes by their hash, from which nothing can be guessed of what the list says. The list itself is
//! kept as the operator wrote it; what it means is read again each time (`video::origin::list`). What should not be here: which
//! list holds.

use domain::adoption::ListHash;
use serde::{Deserialize, Serialize};

use super::policy::Bodies;
use super::{Read, StoredError, word};
use crate::log::Blob;
use crate::log::seal::{Secret, open_body, seal_body};

/// What the list is sealed for. Kept for ever, as it opens what was sealed with it.
const PURPOSE: &str = "cameras";
/// The number of the form bodies are written in.
const FORM: u32 = 1;

/// The first line of a body; the list follows, byte for byte.
#[derive(Serialize, Deserialize)]
struct Head {
    form: u32,
    format: String,
}

/// A list as it was adopted. It holds addresses and accounts: Debug shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct List {
    /// How it is written, as the names of such files end.
    pub format: String,
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "List({}, {} bytes)", self.format, self.bytes.len())
    }
}

/// A list as it is kept. Nothing else is adopted as a list: what is not sealed has another type.
#[derive(Debug)]
pub struct Sealed(Blob);

impl Sealed {
    /// The list sealed with the store's secret. The same list of the same store is the same body.
    #[must_use]
    pub fn of(secret: &Secret, list: &List) -> Self {
        Self(Blob::of(seal_body(secret, PURPOSE, &plain(list))))
    }

    /// What names it in the log.
    #[must_use]
    pub fn hash(&self) -> ListHash {
        ListHash(self.0.hash)
    }

    #[must_use]
    pub fn into_blob(self) -> Blob {
        self.0
    }
}

fn plain(List { format, bytes }: &List) -> Vec<u8> {
    let head = Head { form: FORM, format: format.clone() };
    let mut plain = serde_json::to_vec(&head)
        .expect("forms have only text keys and plain values, which always make JSON");
    plain.push(b'\n');
    plain.extend_from_slice(bytes);
    plain
}

/// The list that an adoption names.
pub fn adopted(hash: &ListHash, secret: &Secret, bodies: &dyn Bodies) -> Read<List> {
    let missing = |problem: String| StoredError::Cameras { hash: hash.to_string(), problem };
    let found = bodies.body(&hash.0).map_err(|error| missing(error.to_string()))?;
    let sealed = found.ok_or_else(|| missing("is not in the log".to_owned()))?;
    let plain = open_body(secret, PURPOSE, &sealed)
        .ok_or_else(|| missing("was not sealed with this store's secret".to_owned()))?;
    read(&plain).map_err(|error| missing(error.to_string()))
}

fn read(plain: &[u8]) -> Read<List> {
    let end = plain.iter().position(|byte| *byte == b'\n').unwrap_or(plain.len());
    let head: Head = serde_json::from_slice(&plain[..end])?;
    if head.form != FORM {
        return Err(word("form", head.form.to_string()));
    }
    Ok(List { format: head.format, bytes: plain.get(end + 1..).unwrap_or_default().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Hash, LogError};

    struct One(Blob);

    impl Bodies for One {
        fn body(&self, hash: &Hash) -> Result<Option<Vec<u8>>, LogError> {
            Ok((*hash == self.0.hash).then(|| self.0.bytes.clone()))
        }
    }

    /// As a Chinese office saves it: no UTF-8.
    fn list() -> List {
        let bytes = b"code,name,main\nK1,\xb6\xab\xc3\xc5,rtsp://op:hidden77@10.1.2.3/1\n".to_vec();
        List { format: "csv".to_owned(), bytes }
    }

    /// Golden: bodies stand in logs for ever.
    #[test]
    fn a_list_keeps_its_body_and_comes_back_byte_for_byte() {
        let secret = Secret::new([7; 32]);
        assert!(plain(&list()).starts_with(b"{\"form\":1,\"format\":\"csv\"}\ncode,name"));
        let sealed = Sealed::of(&secret, &list());
        let (hash, blob) = (sealed.hash(), sealed.into_blob());
        assert_eq!(hash.to_string(), GOLDEN_HASH);
        assert!(!blob.bytes.windows(8).any(|part| part == b"hidden77"));
        assert_eq!(adopted(&hash, &secret, &One(blob)).unwrap(), list());
    }

    const GOLDEN_HASH: &str = "63889c23231ca4bf4861fb7bc808364441f85d46574444e5f228b6b8b4d54262";

    #[test]
    fn a_list_that_cannot_be_had_says_so_and_nothing_of_what_it_holds() {
        let secret = Secret::new([7; 32]);
        let sealed = Sealed::of(&secret, &list());
        let (hash, blob) = (sealed.hash(), sealed.into_blob());
        let said = |found: Result<List, StoredError>| found.unwrap_err().to_string();
        let bodies = One(blob);
        assert!(said(adopted(&ListHash([1; 32]), &secret, &bodies)).contains("is not in the log"));
        let other = said(adopted(&hash, &Secret::new([8; 32]), &bodies));
        assert!(other.contains("was not sealed with this store") && other.contains(&hash.to_string()));
        let newer = Blob::of(seal_body(&secret, PURPOSE, b"{\"form\":2,\"format\":\"csv\"}\nhidden77"));
        let hash = ListHash(newer.hash);
        let newer = said(adopted(&hash, &secret, &One(newer)));
        assert!(newer.contains("form") && !newer.contains("hidden77"), "{newer}");
        assert!(!format!("{:?}", list()).contains("hidden77"));
    }
}
