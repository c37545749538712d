//! What a client can subscribe to, as text in URLs and in both encodings.

use serde::{Deserialize, Serialize};

use crate::code::AreaCode;
use crate::position::Cell;

/// A 64-bit value that JSON carries as 16 hexadecimal digits, because JSON numbers end at 2⁵³.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Hex64(pub u64);

impl std::fmt::Display for Hex64 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Hex64 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Hex64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return u64::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Self)
            .map_err(|_| serde::de::Error::custom("expected up to 16 hexadecimal digits"))
    }
}

/// What a client can subscribe to. Text form: `tally`, `overdue`, `whistle`, `case`, `case/AREA`, `position`,
/// `position/X_Y`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Keyed: all tally cells of the city, districts, streets, sources and classes.
    Tally,
    /// Keyed by case: cases waiting for dispatch that are overdue or about to be.
    Overdue,
    /// Keyed by whistle: open whistle calls.
    Whistle,
    /// Event by event, of everything or of one area.
    Case(Option<AreaCode>),
    /// Positions of all cells.
    Positions,
    /// Positions of one cell.
    Position(Cell),
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tally => f.write_str("tally"),
            Self::Overdue => f.write_str("overdue"),
            Self::Whistle => f.write_str("whistle"),
            Self::Case(None) => f.write_str("case"),
            Self::Case(Some(area)) => write!(f, "case/{area}"),
            Self::Positions => f.write_str("position"),
            Self::Position(cell) => write!(f, "position/{}_{}", cell.x, cell.y),
        }
    }
}

impl std::str::FromStr for Topic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a topic; expected tally, overdue, whistle, case, case/AREA, position or position/X_Y"
            )
        };
        Ok(match text.split_once('/') {
            None => match text {
                "tally" => Self::Tally,
                "overdue" => Self::Overdue,
                "whistle" => Self::Whistle,
                "case" => Self::Case(None),
                "position" => Self::Positions,
                _ => return Err(wrong()),
            },
            Some(("case", area)) => Self::Case(Some(AreaCode::new(area).map_err(|_| wrong())?)),
            Some(("position", cell)) => {
                let (x, y) = cell.split_once('_').ok_or_else(wrong)?;
                let number = |text: &str| text.parse::<i16>().map_err(|_| wrong());
                Self::Position(Cell { x: number(x)?, y: number(y)? })
            }
            Some(_) => return Err(wrong()),
        })
    }
}

impl Serialize for Topic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
