//! What a client can subscribe to, as text in URLs and in both encodings.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::code::AreaCode;
use crate::position::Cell;
use crate::scope::Scope;

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

/// What is followed, of the whole city or of one area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Keyed: tally cells of the city, its districts and streets, sources and classes; of an area: its own and those of
    /// the areas in it.
    Tally,
    /// Keyed by case: cases waiting for dispatch that are overdue or about to be.
    Overdue,
    /// Keyed by case: every open case, without its words.
    Open,
    /// Keyed by whistle: open whistle calls.
    Whistle,
    /// Keyed by the number that position frames use: who that is.
    Who,
    /// Event by event.
    Case,
    /// Positions of all cells.
    Positions,
    /// Positions of one cell.
    Position(Cell),
}

impl Kind {
    /// Those with a name of one word: all but the cells, whose topics are within [`Self::Positions`].
    pub const NAMED: [Self; 7] =
        [Self::Tally, Self::Overdue, Self::Open, Self::Whistle, Self::Who, Self::Case, Self::Positions];

    /// The first word of the topic's text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tally => "tally",
            Self::Overdue => "overdue",
            Self::Open => "open",
            Self::Whistle => "whistle",
            Self::Who => "who",
            Self::Case => "case",
            Self::Positions | Self::Position(_) => "position",
        }
    }

    /// Whether there is a topic of it for each area.
    #[must_use]
    pub fn has_areas(self) -> bool {
        match self {
            Self::Tally | Self::Overdue | Self::Open | Self::Whistle | Self::Case => true,
            Self::Who | Self::Positions | Self::Position(_) => false,
        }
    }

    /// Whether its rows say what people did and wrote, which a wall does not show.
    #[must_use]
    pub fn is_of_people(self) -> bool {
        match self {
            Self::Case => true,
            Self::Tally
            | Self::Overdue
            | Self::Open
            | Self::Whistle
            | Self::Who
            | Self::Positions
            | Self::Position(_) => false,
        }
    }

    /// Whether its versions are sequence numbers of events; positions and numbers have a count of their own.
    #[must_use]
    pub fn counts_events(self) -> bool {
        match self {
            Self::Tally | Self::Overdue | Self::Open | Self::Whistle | Self::Case => true,
            Self::Who | Self::Positions | Self::Position(_) => false,
        }
    }
}

/// A part of the city that a topic can be of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// One area and what lies in it.
    Area(AreaCode),
    /// 本辖区: whatever the reader's own scope lets through. Whose that is the server alone knows; on the wire, and at the
    /// client, there is none.
    Own(Option<Arc<Scope>>),
}

impl Part {
    /// What stands for the reader's own part in a topic's text: no area has such a code.
    pub const OWN: &str = "@own";
}

/// What a client can subscribe to. Text form: `tally`, `overdue`, `open`, `whistle` or `case`, each also with
/// `/AREA` or `/@own`; `who`, `position`, both also with `/@own`, `position/X_Y`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    pub kind: Kind,
    /// None for the whole city.
    pub part: Option<Part>,
    /// For whom its rows are. Whose they are the server alone knows, as with [`Part::Own`]; on the wire it is not said.
    pub audience: Audience,
}

impl Topic {
    pub const TALLY: Self = Self::of(Kind::Tally);
    pub const OVERDUE: Self = Self::of(Kind::Overdue);
    pub const OPEN: Self = Self::of(Kind::Open);
    pub const WHISTLE: Self = Self::of(Kind::Whistle);
    pub const WHO: Self = Self::of(Kind::Who);
    pub const CASE: Self = Self::of(Kind::Case);
    pub const POSITIONS: Self = Self::of(Kind::Positions);

    /// The whole city's.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self { kind, part: None, audience: Audience::Desk }
    }

    /// One area's.
    #[must_use]
    pub fn within(kind: Kind, area: AreaCode) -> Self {
        Self { kind, part: Some(Part::Area(area)), audience: Audience::Desk }
    }

    /// The reader's own.
    #[must_use]
    pub const fn own(kind: Kind) -> Self {
        Self { kind, part: Some(Part::Own(None)), audience: Audience::Desk }
    }

    /// The same, where it is the reader's own part with the scope that this is, and for whom it is.
    #[must_use]
    pub fn as_read_by(self, scope: &Arc<Scope>, audience: Audience) -> Self {
        let part = match self.part {
            Some(Part::Own(_)) => Some(Part::Own(Some(scope.clone()))),
            part @ (Some(Part::Area(_)) | None) => part,
        };
        // What shows the same to everybody is made once for everybody.
        let audience = if self.kind.is_of_people() { audience } else { Audience::Desk };
        Self { kind: self.kind, part, audience }
    }

    /// What a screen follows whose reader sees this much: the city, an area, or a part of their own.
    #[must_use]
    pub fn seen_with(scope: &Scope, kind: Kind) -> Self {
        match scope {
            Scope::All => Self::of(kind),
            Scope::Within { areas, departments } => match areas.iter().next() {
                Some(area) if kind.has_areas() && areas.len() == 1 && departments.is_empty() => {
                    Self::within(kind, area.clone())
                }
                Some(_) | None => Self::own(kind),
            },
        }
    }
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.name())?;
        match (self.kind, &self.part) {
            (Kind::Position(cell), _) => write!(f, "/{}_{}", cell.x, cell.y),
            (_, Some(Part::Area(area))) => write!(f, "/{area}"),
            (_, Some(Part::Own(_))) => write!(f, "/{}", Part::OWN),
            (_, None) => Ok(()),
        }
    }
}

impl std::str::FromStr for Topic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a topic; expected tally, overdue, open, whistle or case, each alone or with /AREA or \
                 /@own, or who or position, each alone or with /@own, or position/X_Y"
            )
        };
        let (name, rest) = text.split_once('/').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let kind = Kind::NAMED.into_iter().find(|kind| kind.name() == name).ok_or_else(wrong)?;
        let Some(rest) = rest else { return Ok(Self::of(kind)) };
        if rest == Part::OWN {
            return Ok(Self::own(kind));
        }
        if kind.has_areas() {
            return Ok(Self::within(kind, AreaCode::new(rest).map_err(|_| wrong())?));
        }
        if kind != Kind::Positions {
            return Err(wrong());
        }
        let (x, y) = rest.split_once('_').ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<i16>().map_err(|_| wrong());
        Ok(Self::of(Kind::Position(Cell { x: number(x)?, y: number(y)? })))
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
