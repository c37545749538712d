//! In form 2, what was adopted: a policy with what follows from it for open cases and calls, and a list of cameras.

use domain::adoption::{Adopted, CameraCounts, CamerasAdopted, Changed, ListHash, PolicyHash};
use domain::case::CaseEvent;
use domain::case::event::Replanned;
use domain::code::{AreaCode, CaseId, WhistleId};
use domain::event::{Event, HallEvent, PolicyEvent};
use domain::moment::UtcMillis;
use domain::whistle::WhistleEvent;
use serde::{Deserialize, Serialize};

use super::catalogue::is_false;
use super::clock_of;
use crate::stored::policy::{self, Bodies};
use crate::stored::words::Spelt;
use crate::stored::{Read, area_codes, spelt, texts, word};

#[derive(Serialize, Deserialize)]
struct ReplannedForm {
    of: String,
    was_ms: i64,
    nearing_ms: i64,
    due_ms: i64,
    phase: String,
    #[serde(default, skip_serializing_if = "is_false")]
    provisional: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CaseReplanned {
    case: u64,
    planned: u64,
    replanned: Vec<ReplannedForm>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CaseMoved {
    case: u64,
    area_path: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WhistleMoved {
    whistle: u64,
    area_path: Vec<String>,
}

/// The body of the policy stands apart, under its hash.
#[derive(Serialize, Deserialize)]
pub(super) struct PolicyAdopted {
    version: u64,
    hash: String,
    added: u32,
    altered: u32,
    retired: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    calendar: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    figures: bool,
}

/// The list stands apart, sealed, under its hash.
#[derive(Serialize, Deserialize)]
pub(super) struct CamerasAdoptedForm {
    version: u64,
    hash: String,
    cameras: u32,
    new: u32,
    gone: u32,
    readdressed: u32,
    moved: u32,
    renamed: u32,
}

pub(super) fn case_replanned_form(case: u64, planned: u64, clocks: &[Replanned]) -> CaseReplanned {
    CaseReplanned { case, planned, replanned: clocks.iter().map(replanned_form).collect() }
}

pub(super) fn case_replanned(is: CaseReplanned) -> Read<Event> {
    let clocks = is.replanned.into_iter().map(replanned).collect::<Read<_>>()?;
    Ok(Event::Case(CaseId(is.case), CaseEvent::Replanned { planned: is.planned, clocks }))
}

pub(super) fn case_moved_form(case: u64, area_path: &[AreaCode]) -> CaseMoved {
    CaseMoved { case, area_path: texts(area_path) }
}

pub(super) fn case_moved(is: CaseMoved) -> Read<Event> {
    Ok(Event::Case(CaseId(is.case), CaseEvent::Moved { area_path: area_codes(is.area_path)? }))
}

pub(super) fn whistle_moved_form(whistle: u64, area_path: &[AreaCode]) -> WhistleMoved {
    WhistleMoved { whistle, area_path: texts(area_path) }
}

pub(super) fn whistle_moved(is: WhistleMoved) -> Read<Event> {
    let area_path = area_codes(is.area_path)?;
    Ok(Event::Whistle(WhistleId(is.whistle), WhistleEvent::Moved { area_path }))
}

fn replanned_form(is: &Replanned) -> ReplannedForm {
    let Replanned { of, was, nearing, due, phase, provisional } = *is;
    ReplannedForm {
        of: of.key(),
        was_ms: was.0,
        nearing_ms: nearing.0,
        due_ms: due.0,
        phase: phase.word().to_owned(),
        provisional,
    }
}

fn replanned(is: ReplannedForm) -> Read<Replanned> {
    Ok(Replanned {
        of: clock_of(&is.of)?,
        was: UtcMillis(is.was_ms),
        nearing: UtcMillis(is.nearing_ms),
        due: UtcMillis(is.due_ms),
        phase: spelt("phase", &is.phase)?,
        provisional: is.provisional,
    })
}

pub(super) fn adopted_form(adopted: &Adopted) -> PolicyAdopted {
    let Changed { added, altered, retired, calendar, figures } = adopted.changed;
    let hash = adopted.hash.to_string();
    PolicyAdopted { version: adopted.version, hash, added, altered, retired, calendar, figures }
}

pub(super) fn adopted(is: PolicyAdopted, bodies: &dyn Bodies) -> Read<Event> {
    let PolicyAdopted { version, hash, added, altered, retired, calendar, figures } = is;
    let hash: PolicyHash = hash.parse().map_err(|_| word("hash", hash))?;
    let changed = Changed { added, altered, retired, calendar, figures };
    let policy = policy::adopted(&hash, bodies)?;
    Ok(Event::Policy(PolicyEvent::Adopted(Adopted { version, hash, changed, policy })))
}

pub(super) fn cameras_form(adopted: &CamerasAdopted) -> CamerasAdoptedForm {
    let CamerasAdopted { version, hash, counts } = *adopted;
    let CameraCounts { cameras, new, gone, readdressed, moved, renamed } = counts;
    CamerasAdoptedForm { version, hash: hash.to_string(), cameras, new, gone, readdressed, moved, renamed }
}

pub(super) fn cameras(is: CamerasAdoptedForm) -> Read<Event> {
    let CamerasAdoptedForm { version, hash, cameras, new, gone, readdressed, moved, renamed } = is;
    let hash: ListHash = hash.parse().map_err(|_| word("hash", hash))?;
    let counts = CameraCounts { cameras, new, gone, readdressed, moved, renamed };
    Ok(Event::Hall(HallEvent::CamerasAdopted(CamerasAdopted { version, hash, counts })))
}
