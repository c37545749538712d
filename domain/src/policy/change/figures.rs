//! The figures of a policy, everything but codes and calendar, in words and held against another's.

use serde::{Deserialize, Serialize};

use super::both;
use crate::catalogue::Name;
use crate::clock::Limit;
use crate::place::Bounds;
use crate::policy::{Policy, SidePaths};
use crate::rejection::Language;

/// One figure that becomes another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FigureChange {
    /// Its field in the policy file.
    pub field: String,
    pub was: Name,
    pub is: Name,
}

pub(super) fn compare(before: &Policy, after: &Policy) -> Vec<FigureChange> {
    let pairs = figures(before).into_iter().zip(figures(after));
    let changed = pairs.filter(|((_, was), (_, is))| was != is);
    changed.map(|((field, was), (_, is))| FigureChange { field: field.to_owned(), was, is }).collect()
}

/// Every figure with its field. A new field of the policy does not compile until it is said here.
fn figures(policy: &Policy) -> Vec<(&'static str, Name)> {
    let Policy {
        stated_source,
        centre,
        utc_offset_minutes,
        dispatch_limit,
        disposal_limit,
        whistle_response_minutes,
        powers_together,
        forecast_minutes,
        lamp_yellow_percent,
        position_stale_seconds,
        clock_skew_seconds,
        backdate_days,
        notes_per_case,
        side_paths: SidePaths { returns, reworks, extensions, suspensions, suspension_days },
        files_per_case,
        bounds,
        // These have a part of the change to themselves.
        calendar: _,
        areas: _,
        classes: _,
        sources: _,
        departments: _,
        conditions: _,
        responsibilities: _,
    } = policy;
    vec![
        ("stated_source", same(stated_source)),
        ("centre", centre.clone()),
        ("utc_offset_minutes", same(utc_offset_minutes.0)),
        ("dispatch_limit", limit(*dispatch_limit)),
        ("disposal_limit", limit(*disposal_limit)),
        ("whistle_response_minutes", same(whistle_response_minutes)),
        ("powers_together", powers_together.as_ref().map_or_else(|| both("无", "none"), same)),
        ("forecast_minutes", same(forecast_minutes)),
        ("lamp_yellow_percent", same(lamp_yellow_percent)),
        ("position_stale_seconds", same(position_stale_seconds)),
        ("clock_skew_seconds", same(clock_skew_seconds)),
        ("backdate_days", same(backdate_days)),
        ("notes_per_case", same(notes_per_case)),
        ("side_paths.returns", same(returns)),
        ("side_paths.reworks", same(reworks)),
        ("files_per_case", same(files_per_case)),
        ("side_paths.extensions", same(extensions)),
        ("side_paths.suspensions", same(suspensions)),
        ("side_paths.suspension_days", same(suspension_days)),
        ("bounds", bounds.map_or_else(|| both("不限", "none"), rectangle)),
    ]
}

fn same(value: impl std::fmt::Display) -> Name {
    both(value.to_string(), value.to_string())
}

fn limit(limit: Limit) -> Name {
    both(limit.words(Language::Zh), limit.words(Language::En))
}

fn rectangle(bounds: Bounds) -> Name {
    let Bounds { south, west, north, east } = bounds;
    same(format!("{south}–{north}, {west}–{east}"))
}
