//! What the map's placing answers with: marks, lines and words, each where it is to be drawn. No colours here.

use super::rect::Rect;
use super::view::Px;

/// How a camera's picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nobody watches it: nothing is known to be wrong.
    Idle,
    Shown,
    Lost,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// Ordinary cases; places in the list of cases.
    Square { members: Vec<u32> },
    /// People; the indexes the feed knows them by.
    Group { members: Vec<u32>, late: bool },
    /// What lies around the incident, drawn when the circle can be told from the spot.
    Ring,
    /// The spot of the incident.
    Target,
    /// Where a camera looks: bearing and width in degrees.
    Cone { aim_deg: f64, view_deg: f64, state: Seen },
    /// A camera of the incident; `beyond` is the direction, radians from east to south, in which it lies beyond the screen.
    Camera { row: u32, number: u32, state: Seen, beyond: Option<f64> },
    /// A person who matters for the incident.
    Person { row: u32, late: bool, beyond: Option<f64> },
    /// Urgent cases of one priority; places in the list of cases.
    Urgent { priority: u8, members: Vec<u32> },
}

impl Mark {
    /// How far up it is drawn: what is urgent lies under nothing.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::Square { .. } => 0,
            Self::Group { .. } => 1,
            Self::Ring => 2,
            Self::Cone { .. } => 3,
            Self::Target => 4,
            Self::Camera { .. } => 5,
            Self::Person { .. } => 6,
            Self::Urgent { priority, .. } => 10 - (*priority).min(3),
        }
    }

    /// Whether it lies on the ground like a colour, and words may stand in it.
    #[must_use]
    pub fn is_ground(&self) -> bool {
        match self {
            Self::Ring | Self::Cone { .. } => true,
            Self::Square { .. }
            | Self::Group { .. }
            | Self::Target
            | Self::Camera { .. }
            | Self::Person { .. }
            | Self::Urgent { .. } => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub mark: Mark,
    pub at: Px,
    /// Half its size; the radius of what is round.
    pub half: f64,
}

impl Placed {
    #[must_use]
    pub fn rect(&self) -> Rect {
        Rect::around(self.at, self.half, self.half)
    }
}

/// How a word is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Style {
    District,
    /// Under a district's name.
    Count,
    /// 位置滞后, with a hatched square before it.
    Late,
    Street,
    Road,
    Lake,
    /// How many cases of a priority lie under one mark.
    Times(u8),
    Title,
    Note,
    Name,
    LateName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Centre,
    Right,
}

/// Which way a word runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Run {
    Level,
    /// Radians from east to south.
    Along(f64),
    /// Character under character.
    Down,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    pub text: String,
    /// The middle of the line at its left end, middle or right end.
    pub at: Px,
    pub align: Align,
    pub style: Style,
    /// Of the letters in CSS pixels.
    pub size: f64,
    pub run: Run,
    pub rect: Rect,
}

/// From a word to what it speaks of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub from: Px,
    pub to: Px,
    /// Of the incident; else of a name that stands beside its district.
    pub incident: bool,
}

/// Knows the font. Widths are CSS pixels.
pub trait Ruler {
    fn width(&mut self, text: &str, style: Style, size: f64) -> f64;
}
