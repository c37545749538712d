//! Adoption of a policy (规则启用) or a list of cameras: which one is in force, since which version, and what another one
//! changes.
//!
//! Both enter the log as events, so that the state is a function of the log alone. What should not be here: where their
//! bodies are kept (`server::stored`), what follows for running clocks (`state::replan`).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use crate::event::Recorded;
use crate::moment::UtcMillis;
use crate::policy::Policy;

pub mod cameras;
pub mod words;

pub use cameras::{CameraCounts, CamerasAdopted, ListInForce};

/// The name of a stored body: 64 hexadecimal digits as text. Bodies of different kinds have names of different types.
macro_rules! body_hash {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; 32]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = NoHash;

            fn from_str(text: &str) -> Result<Self, NoHash> {
                hash_of(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

body_hash! {
    /// SHA-256 of a policy's stored body: its name in the log.
    PolicyHash
}

body_hash! {
    /// SHA-256 of the sealed body of a list of cameras: its name in the log. It says nothing of what the list holds.
    ListHash
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct NoHash;

fn hash_of(text: &str) -> Result<[u8; 32], NoHash> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(NoHash);
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| NoHash)?;
    }
    Ok(bytes)
}

/// Who brought something into force, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Took {
    pub by: String,
    pub at: UtcMillis,
}

impl Took {
    pub(crate) fn of(recorded: &Recorded) -> Self {
        Self { by: recorded.by.name.clone(), at: recorded.at }
    }
}

/// The policy that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// 0 is the policy the store began with; each adoption is one more.
    pub version: u64,
    /// None for the policy the store began with.
    pub hash: Option<PolicyHash>,
    pub policy: Arc<Policy>,
    /// None for the policy the store began with.
    pub took: Option<Took>,
}

impl InForce {
    /// The policy a store began with.
    #[must_use]
    pub fn genesis(policy: Arc<Policy>) -> Self {
        Self { version: 0, hash: None, policy, took: None }
    }
}

/// What an adopted policy changes, in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Changed {
    /// Codes that were not known.
    pub added: u32,
    /// Codes that mean something else, lie elsewhere or have another limit.
    pub altered: u32,
    /// Codes that nothing new can have from now on.
    pub retired: u32,
    /// Working hours, holidays or make-up days.
    pub calendar: bool,
    /// Limits, windows and every other figure.
    pub figures: bool,
}

/// Another policy came into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    pub version: u64,
    pub hash: PolicyHash,
    pub changed: Changed,
    pub policy: Arc<Policy>,
}

/// Readers of the API see which policy it was and what it changed; its body is asked for elsewhere.
impl Serialize for Adopted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Adopted", 4)?;
        fields.serialize_field("version", &self.version)?;
        fields.serialize_field("hash", &self.hash)?;
        fields.serialize_field("source", &self.policy.stated_source)?;
        fields.serialize_field("changed", &self.changed)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = PolicyHash(std::array::from_fn(|at| at as u8 * 7));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        let short = &hash.to_string()[1..];
        for wrong in ["", short, &format!("{short}+"), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<PolicyHash>(), Err(NoHash), "{wrong}");
        }
    }
}
