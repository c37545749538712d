//! Which world a hall shows (世界), how its clock goes, and what may be asked of that clock.
//!
//! What should be here: the kinds of worlds and what `/api/v1/world` says and takes. What should not: a hall, its clock, and
//! who may set it (the server's).

use serde::{Deserialize, Serialize};

use crate::moment::UtcMillis;

mod id;

pub use id::{WorldId, WorldIdError};

/// The pace of a clock that goes as time passes, in thousandths: 60,000 is sixty times as fast, 0 stands still.
pub const PACE_REAL: u32 = 1_000;
/// The fastest a world's clock goes, in thousandths: six hundred times as time passes.
pub const PACE_MAX: u32 = 600_000;

/// What a hall shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorldKind {
    /// 实时: the city as it is.
    Live,
    /// 演示: a simulated city, whose clock may be speeded up.
    Demonstration,
    /// 复盘: the city as it was.
    Replay,
    /// 演练: an exercise.
    Drill,
}

impl WorldKind {
    /// The word for it in addresses, pages and files.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Demonstration => "demonstration",
            Self::Replay => "replay",
            Self::Drill => "drill",
        }
    }

    /// The kind of this key.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        [Self::Live, Self::Demonstration, Self::Replay, Self::Drill]
            .into_iter()
            .find(|kind| kind.key() == key)
    }

    /// Whether cases can be handled in it: what is past stays as it was.
    #[must_use]
    pub fn takes_commands(self) -> bool {
        self != Self::Replay
    }
}

/// How a world goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorldState {
    Running,
    /// Its clock stands still.
    Paused,
    /// Its clock has reached its end, or it was stopped.
    Ended,
}

/// `GET /api/v1/world`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WorldAnswer {
    pub kind: WorldKind,
    /// Its part of the address `/world/{id}`; empty for the hall at the address itself.
    pub id: String,
    /// What people call it; empty where nobody has named it.
    pub title: String,
    /// The hall's time, in milliseconds UTC.
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub now: UtcMillis,
    /// How fast its clock goes, in thousandths of the pace at which time passes: 0 to [`PACE_MAX`].
    pub pace_milli: u32,
    /// The span it shows, where it has one.
    #[cfg_attr(feature = "schema", schema(value_type = Option<i64>))]
    pub from: Option<UtcMillis>,
    #[cfg_attr(feature = "schema", schema(value_type = Option<i64>))]
    pub to: Option<UtcMillis>,
    pub state: WorldState,
}

/// `POST /api/v1/world/clock`: what is left out stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetClock {
    /// In thousandths of the pace at which time passes; which are allowed is each kind of world's own.
    #[serde(default)]
    pub pace_milli: Option<u32>,
    /// Another instant, for worlds that can be taken there, in milliseconds UTC.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<i64>))]
    pub at: Option<UtcMillis>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_again_by_its_key_and_travels_under_it() {
        for kind in [WorldKind::Live, WorldKind::Demonstration, WorldKind::Replay, WorldKind::Drill] {
            assert_eq!(WorldKind::of_key(kind.key()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.key());
            assert_eq!(kind.takes_commands(), kind != WorldKind::Replay);
        }
        assert_eq!([WorldKind::of_key("Live"), WorldKind::of_key("")], [None, None]);
    }
}
