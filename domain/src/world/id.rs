//! How a world that is open beside the hall is named in addresses.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::WorldKind;

/// Identity of a world beside the hall's own: its kind and eight hexadecimal digits, as `replay-0123abcd`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = r"^(replay|drill)-[0-9a-f]{8}$"))]
pub struct WorldId(Arc<str>);

/// The digits of an identity.
const DIGITS: usize = 8;

/// A text that names no world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no world; expected such as `replay-0123abcd` or `drill-0123abcd`")]
pub struct WorldIdError(String);

impl WorldId {
    /// The identity of a world that is opened beside the hall, from 32 bits of chance; none for the kinds that are the
    /// hall itself.
    #[must_use]
    pub fn new(kind: WorldKind, chance: u32) -> Option<Self> {
        match kind {
            WorldKind::Live | WorldKind::Demonstration => None,
            WorldKind::Replay | WorldKind::Drill => Some(Self(format!("{}-{chance:08x}", kind.key()).into())),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What its addresses begin with: `/world/replay-0123abcd`.
    #[must_use]
    pub fn base(&self) -> String {
        ["/world/", &self.0].concat()
    }
}

impl std::fmt::Display for WorldId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for WorldId {
    type Err = WorldIdError;

    fn from_str(text: &str) -> Result<Self, WorldIdError> {
        let digits = text.strip_prefix("replay-").or_else(|| text.strip_prefix("drill-"));
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match digits {
            Some(digits) if digits.len() == DIGITS && digits.bytes().all(is_hex) => Ok(Self(text.into())),
            // An error's text is bounded, whatever was sent.
            _ => Err(WorldIdError(text.chars().take(DIGITS * 4).collect())),
        }
    }
}

impl Serialize for WorldId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for WorldId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_beside_the_hall_is_named_by_kind_and_digits_and_nothing_else_is_a_name() {
        let replay = WorldId::new(WorldKind::Replay, 0x12_abcd).unwrap();
        assert_eq!([replay.as_str(), &replay.base()], ["replay-0012abcd", "/world/replay-0012abcd"]);
        assert_eq!(replay.as_str().parse(), Ok(replay));
        assert_eq!(WorldId::new(WorldKind::Live, 7), None);
        for foreign in
            ["", "replay", "replay-", "replay-0012abc", "replay-0012ABCD", "drill-0012abcd/", "live-0012abcd"]
        {
            assert!(foreign.parse::<WorldId>().is_err(), "{foreign}");
        }
        assert!("x".repeat(10_000).parse::<WorldId>().unwrap_err().to_string().len() < 200);
    }
}
