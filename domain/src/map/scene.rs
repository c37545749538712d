//! What is to be shown on a map and how large, as the screen tells it.

use super::cases::Case;
use super::ground::Ground;
use super::item::Seen;
use super::people::People;
use super::rect::Rect;
use super::view::Spot;

/// A camera of the incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    pub spot: Spot,
    /// Degrees clockwise from north; none for one that turns.
    pub bearing_deg: Option<f64>,
    pub view_deg: f64,
    /// As on its tile and in its list.
    pub number: u32,
    pub state: Seen,
}

/// The incident everything turns on.
#[derive(Debug, Clone, PartialEq)]
pub struct Focus {
    pub spot: Spot,
    pub radius_m: f64,
    /// What it is, and the time it has left; both may be empty.
    pub title: String,
    pub note: String,
}

/// A person who matters for the incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// By which the feed knows them.
    pub index: u32,
    pub name: String,
}

#[derive(Debug, Default)]
pub struct Scene {
    /// CSS pixels for a unit of size; 1 on a wall whose small words are 24 pixels high.
    pub unit: f64,
    /// A small wall: counts without a word before them, narrower names.
    pub brief: bool,
    /// Words run wide, as in English.
    pub latin: bool,
    /// People who stand close together are a circle with a number.
    pub grouped: bool,
    /// Cases above this number of priority are ordinary squares.
    pub urgent_max: u8,
    pub per_square: u32,
    pub stale_s: f64,
    /// 在办 before a district's count; 位置滞后 under the name of a district whose positions are late.
    pub open_word: String,
    pub late_word: String,
    /// Parts of the screen with words of their own: legend, scale, headline.
    pub own: Vec<Rect>,
    pub ground: Ground,
    pub people: People,
    pub cases: Vec<Case>,
    /// Of the ground's districts, in their order; empty where none is known.
    pub counts: Vec<String>,
    pub cameras: Vec<Camera>,
    pub focus: Option<Focus>,
    pub named: Vec<Named>,
}
