//! One position as a device reports it, whether it can be one, and what is kept of it.

use domain::code::InspectorCode;
use domain::moment::{DAY_MS, SECOND_MS, UtcMillis};
use domain::place::{Bounds, Point};
use domain::policy::Policy;
use domain::text::{TextError, TextKind, check_text};
use serde::{Deserialize, Serialize};

use crate::clock::Present;

/// What is accepted, from the policy.
#[derive(Debug, Clone, Copy)]
pub struct Accepts {
    pub bounds: Option<Bounds>,
    pub clock_skew_seconds: u32,
}

impl Accepts {
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        Self { bounds: policy.bounds, clock_skew_seconds: policy.clock_skew_seconds }
    }
}

/// One position as a device reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    pub inspector: InspectorCode,
    pub place: Point,
    /// When the position was taken.
    pub fixed: UtcMillis,
    /// Metres per second.
    #[serde(default)]
    pub speed_mps: Option<f32>,
    /// Degrees clockwise from north.
    #[serde(default)]
    pub heading_deg: Option<f32>,
    /// Radius of confidence in metres.
    #[serde(default)]
    pub accuracy_m: Option<f32>,
    /// Which door or device it came through; 128 bytes at most.
    #[serde(default)]
    pub source: String,
}

/// Why a fix is not accepted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FixError {
    #[error("fixed: lies {0} s in the future")]
    Future(i64),
    #[error("fixed: lies more than {0} days in the past")]
    TooOld(u16),
    #[error("place: lies outside the policy's bounds")]
    OutsideBounds,
    #[error("speed_mps: {0} is not within 0 to 100")]
    Speed(f32),
    #[error("heading_deg: {0} is not within 0 to 360")]
    Heading(f32),
    #[error("accuracy_m: {0} is not within 0 to 100,000")]
    Accuracy(f32),
    #[error("source: {0}")]
    Source(TextError),
    #[error(
        "fixed: more positions of this inspector at once than a phone can have stored; send the rest later"
    )]
    TooFast,
    #[error("inspector: the hall already follows 100,000 inspectors heard within `positions.forget_hours`")]
    TooManyInspectors,
    #[error("positions cannot be written to the disk at present; send it again later")]
    NotStored,
    #[error("fixed: does not fit the server's clock, which is doubted at present; send it again later")]
    ClockDoubted,
}

impl FixError {
    /// For metrics and answers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Future(_) => "future",
            Self::TooOld(_) => "too_old",
            Self::OutsideBounds => "outside_bounds",
            Self::Speed(_) => "speed",
            Self::Heading(_) => "heading",
            Self::Accuracy(_) => "accuracy",
            Self::Source(_) => "source",
            Self::TooFast => "too_fast",
            Self::TooManyInspectors => "too_many_inspectors",
            Self::NotStored => "not_stored",
            Self::ClockDoubted => "clock_doubted",
        }
    }
}

/// One point of a track.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TrackPoint {
    pub place: Point,
    pub fixed: UtcMillis,
    pub moving: bool,
    pub heading_deg: f32,
}

/// One accepted fix on its way to the track.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub index: u32,
    pub place: Point,
    pub fixed: UtcMillis,
    pub moving: bool,
    pub heading_deg: f32,
}

impl Step {
    /// Without the number.
    #[must_use]
    pub fn point(&self) -> TrackPoint {
        TrackPoint {
            place: self.place,
            fixed: self.fixed,
            moving: self.moving,
            heading_deg: self.heading_deg,
        }
    }
}

/// The latest fix that is taken now.
pub(super) fn latest(now: UtcMillis, accepts: &Accepts) -> UtcMillis {
    now.plus(i64::from(accepts.clock_skew_seconds) * SECOND_MS)
}

pub(super) fn check(fix: &Fix, accepts: &Accepts, keep_days: u16, present: Present) -> Result<(), FixError> {
    check_time(fix, accepts, keep_days, present.believed).or_else(|error| {
        let skew_ms = u64::from(accepts.clock_skew_seconds) * SECOND_MS.unsigned_abs();
        match present.is_doubted {
            false => Err(error),
            // The phone's clock says what the machine's does, as after a stop of some hours: two that know nothing of each other.
            true if fix.fixed.since(present.now).unsigned_abs() <= skew_ms => Ok(()),
            // A phone lets go of what is refused for good, and which time is right nobody knows yet.
            true => Err(FixError::ClockDoubted),
        }
    })?;
    if accepts.bounds.is_some_and(|bounds| !bounds.contains(fix.place)) {
        return Err(FixError::OutsideBounds);
    }
    let within = |value: Option<f32>, most: f32| value.filter(|value| !(0.0..=most).contains(value));
    within(fix.speed_mps, 100.0).map_or(Ok(()), |speed| Err(FixError::Speed(speed)))?;
    within(fix.heading_deg, 360.0).map_or(Ok(()), |heading| Err(FixError::Heading(heading)))?;
    within(fix.accuracy_m, 100_000.0).map_or(Ok(()), |accuracy| Err(FixError::Accuracy(accuracy)))?;
    check_text(&fix.source, TextKind::Id).map_err(FixError::Source)
}

fn check_time(fix: &Fix, accepts: &Accepts, keep_days: u16, now: UtcMillis) -> Result<(), FixError> {
    // Both differences saturate, so that no number a device may send is the negative of another.
    let (ahead_ms, age_ms) = (fix.fixed.since(now), now.since(fix.fixed));
    if ahead_ms > i64::from(accepts.clock_skew_seconds) * SECOND_MS {
        return Err(FixError::Future(ahead_ms / SECOND_MS));
    }
    if age_ms > i64::from(keep_days) * DAY_MS {
        return Err(FixError::TooOld(keep_days));
    }
    Ok(())
}
