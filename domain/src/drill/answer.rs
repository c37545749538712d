//! What the REST doors of drills say, for both ends.
//!
//! What should be here: shapes of `/api/v1/drills…`. What should not: the breakthrough, which comes over the feed
//! (`super::breaking`).

use serde::{Deserialize, Serialize};

use super::{Became, Drill, DrillStage, Happening, Inject};
use crate::code::CaseId;
use crate::moment::UtcMillis;

/// `POST /api/v1/drills`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PrepareDrill {
    /// 1 to 300 bytes, one line.
    pub title: String,
    /// At most 50.
    #[serde(default)]
    pub injects: Vec<Inject>,
}

/// `POST /api/v1/drills/{id}/stop`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StopDrill {
    /// Real first-level cases without an answer that whoever ends the drill knows of; refused while one is missing here.
    pub leaving: Vec<CaseId>,
}

/// `POST /api/v1/drills/{id}/enter`: what of the answer a director reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// A case's number; none of a call.
    #[serde(default)]
    pub number: Option<String>,
}

/// One drill in `GET /api/v1/drills` and the answers of its doors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DrillAnswer {
    /// `drill-` and eight hexadecimal digits.
    pub id: String,
    /// Where its screens and doors are, such as `/world/drill-0123abcd`.
    pub base: String,
    pub title: String,
    pub director: String,
    pub stage: DrillStage,
    pub pace_milli: u32,
    /// Its own clock.
    pub now: UtcMillis,
    /// When it was prepared, by the live hall's clock.
    pub prepared: UtcMillis,
    /// When it was started, by its own clock.
    #[serde(default)]
    pub started: Option<UtcMillis>,
    /// When it was ended, by the live hall's clock.
    #[serde(default)]
    pub stopped: Option<UtcMillis>,
    #[serde(default)]
    pub stopped_by: Option<String>,
    /// It was running when the server ended and stands since; whoever leads it lets it go on.
    pub came_back: bool,
    /// Whoever asks leads it.
    pub leads: bool,
    /// What is to happen, and what became of it: for who leads it alone, since those who play are not to know.
    #[serde(default)]
    pub injects: Vec<InjectLine>,
}

/// One line of what is to happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InjectLine {
    pub after_s: u32,
    pub is_whistle: bool,
    pub title: String,
    pub became: InjectBecame,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InjectBecame {
    Waiting,
    /// The case's number; none of a call.
    Entered(Option<String>),
    /// Name of the refusal.
    Refused(String),
}

/// `GET /api/v1/drills`: the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DrillsAnswer {
    pub items: Vec<DrillAnswer>,
}

impl DrillAnswer {
    /// `now`: by its own clock. `leads`: whoever asks leads it.
    #[must_use]
    pub fn of(drill: &Drill, now: UtcMillis, leads: bool) -> Self {
        let id = drill.prepared.id.to_string();
        let (stopped, stopped_by) = drill.stopped.clone().unzip();
        Self {
            base: format!("/world/{id}"),
            id,
            title: drill.prepared.title.clone(),
            director: drill.prepared.director.clone(),
            stage: drill.stage,
            pace_milli: drill.pace.milli(),
            now,
            prepared: drill.prepared.at,
            started: drill.started,
            stopped,
            stopped_by,
            came_back: drill.came_back,
            leads,
            injects: if leads { lines(drill) } else { Vec::new() },
        }
    }
}

fn lines(drill: &Drill) -> Vec<InjectLine> {
    let numbered = (0u16..).zip(&drill.prepared.injects);
    let line = |(number, inject): (u16, &Inject)| InjectLine {
        after_s: inject.after_s,
        is_whistle: matches!(inject.what, Happening::Whistle(_)),
        title: inject.what.title().to_owned(),
        became: match drill.injected.get(&number) {
            None => InjectBecame::Waiting,
            Some(Became::Entered { number }) => InjectBecame::Entered(number.clone()),
            Some(Became::Refused { code }) => InjectBecame::Refused(code.clone()),
        },
    };
    numbered.map(line).collect()
}
