//! The JSON of rows of the state, field by field. A field that is added has a default, and a higher form.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::adoption::InForce;
use domain::case::{Case, Step, Taken};
use domain::catalogue::Catalogue;
use domain::clock::{Alarm, Clock, Deadline, Pause, Subject};
use domain::code::{AreaCode, CaseId, DepartmentCode, WhistleId};
use domain::moment::{Date, UtcMillis, UtcOffset};
use domain::policy::Policy;
use domain::state::Kept;
use domain::tally::Tally;
use domain::whistle::{Called, Whistle, WhistleCall};
use serde::{Deserialize, Serialize};

use super::super::form2::catalogue::is_false;
use super::super::form2::{ClockForm, clock, clock_form, clock_of};
use super::super::report::{ReportForm, report, report_form};
use super::super::words::Spelt;
use super::super::{Read, area_codes, code, spelt, texts, word};

/// Everything that is one of its kind.
#[derive(Serialize, Deserialize)]
pub(super) struct CountsForm {
    seq: u64,
    today: String,
    offset_minutes: i32,
    last_case: u64,
    last_whistle: u64,
    numbers_of_days: BTreeMap<String, u32>,
    turns: Vec<String>,
}

pub(super) fn counts_form(kept: &Kept) -> CountsForm {
    CountsForm {
        seq: kept.seq,
        today: kept.today.to_string(),
        offset_minutes: kept.offset.0,
        last_case: kept.last_case,
        last_whistle: kept.last_whistle,
        numbers_of_days: kept.numbers_of_days.iter().map(|(date, last)| (date.to_string(), *last)).collect(),
        turns: texts(&kept.turns),
    }
}

fn date(text: &str) -> Read<Date> {
    text.parse().map_err(|_| word("date", text))
}

/// A state that holds these and nothing else.
pub(super) fn counts(is: CountsForm, genesis: &Arc<Policy>) -> Read<Kept> {
    let numbers = is.numbers_of_days.iter().map(|(day, last)| Ok((date(day)?, *last)));
    Ok(Kept {
        catalogue: Catalogue::default(),
        cases: BTreeMap::new(),
        whistles: BTreeMap::new(),
        tally: Tally::default(),
        aside: Tally::default(),
        turns: is.turns.iter().map(|text| date(text)).collect::<Read<_>>()?,
        in_force: InForce::genesis(genesis.clone()),
        cameras: None,
        deadlines: BTreeSet::new(),
        seq: is.seq,
        today: date(&is.today)?,
        offset: UtcOffset(is.offset_minutes),
        last_case: is.last_case,
        last_whistle: is.last_whistle,
        numbers_of_days: numbers.collect::<Read<_>>()?,
    })
}

#[derive(Serialize, Deserialize)]
struct PauseForm {
    from_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_ms: Option<i64>,
}

/// A clock as it began, and how far it has come.
#[derive(Serialize, Deserialize)]
struct RunningForm {
    began: ClockForm,
    phase: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    paused: Vec<PauseForm>,
    /// Since form 3 of cases.
    #[serde(default, skip_serializing_if = "is_never")]
    extended: u16,
}

fn is_never(count: &u16) -> bool {
    *count == 0
}

fn running_form(clock: &Clock) -> RunningForm {
    let pause = |pause: &Pause| PauseForm { from_ms: pause.from.0, to_ms: pause.to.map(|at| at.0) };
    RunningForm {
        began: clock_form(clock),
        phase: clock.phase.word().to_owned(),
        stopped_ms: clock.stopped.map(|at| at.0),
        paused: clock.paused.iter().map(pause).collect(),
        extended: clock.extended,
    }
}

fn running(is: RunningForm) -> Read<Clock> {
    let pause = |is: PauseForm| Pause { from: UtcMillis(is.from_ms), to: is.to_ms.map(UtcMillis) };
    Ok(Clock {
        phase: spelt("phase", &is.phase)?,
        stopped: is.stopped_ms.map(UtcMillis),
        paused: is.paused.into_iter().map(pause).collect(),
        extended: is.extended,
        ..clock(is.began)?
    })
}

#[derive(Serialize, Deserialize)]
struct TakenForm {
    step: String,
    at_ms: i64,
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    late: bool,
    round: u16,
    seq: u64,
}

fn taken_form(taken: &Taken) -> TakenForm {
    let Taken { step, at, by, department, late, round, seq } = taken;
    TakenForm {
        step: step.name.to_owned(),
        at_ms: at.0,
        by: by.clone(),
        department: department.as_ref().map(ToString::to_string),
        late: *late,
        round: *round,
        seq: *seq,
    }
}

fn department(text: Option<String>) -> Read<Option<DepartmentCode>> {
    text.map(|text| code("department", text, DepartmentCode::new)).transpose()
}

fn taken(is: TakenForm) -> Read<Taken> {
    Ok(Taken {
        step: Step::named(&is.step).ok_or_else(|| word("step", is.step))?,
        at: UtcMillis(is.at_ms),
        by: is.by,
        department: department(is.department)?,
        late: is.late,
        round: is.round,
        seq: is.seq,
    })
}

/// A case, open or closed.
#[derive(Serialize, Deserialize)]
pub(in crate::stored) struct CaseForm {
    id: u64,
    number: String,
    report: ReportForm,
    area_path: Vec<String>,
    stage: String,
    reported_ms: i64,
    stage_since_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filed_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dispatched_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_ms: Option<i64>,
    clocks: Vec<RunningForm>,
    steps: Vec<TakenForm>,
    round: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed_by: Option<String>,
    /// Since form 2.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    notes: u32,
    /// None is exact in a row without it: whoever wrote that could not read the event of a file.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    files: u32,
    version: u64,
}

fn is_none_yet(count: &u32) -> bool {
    *count == 0
}

pub(in crate::stored) fn case_form(case: &Case) -> CaseForm {
    CaseForm {
        id: case.id.0,
        number: case.number.clone(),
        report: report_form(&case.report, None),
        area_path: texts(&case.area_path),
        stage: case.stage.word().to_owned(),
        reported_ms: case.reported.0,
        stage_since_ms: case.stage_since.0,
        filed_ms: case.filed.map(|at| at.0),
        dispatched_ms: case.dispatched.map(|at| at.0),
        closed_ms: case.closed.map(|at| at.0),
        clocks: case.clocks.iter().map(running_form).collect(),
        steps: case.steps.iter().map(taken_form).collect(),
        round: case.round,
        department: case.department.as_ref().map(ToString::to_string),
        claimed_by: case.claimed_by.clone(),
        notes: case.notes,
        files: case.files,
        version: case.version,
    }
}

pub(in crate::stored) fn case(is: CaseForm) -> Read<Case> {
    Ok(Case {
        id: CaseId(is.id),
        number: is.number,
        report: report(is.report)?,
        area_path: area_codes(is.area_path)?,
        stage: spelt("stage", &is.stage)?,
        reported: UtcMillis(is.reported_ms),
        stage_since: UtcMillis(is.stage_since_ms),
        filed: is.filed_ms.map(UtcMillis),
        dispatched: is.dispatched_ms.map(UtcMillis),
        closed: is.closed_ms.map(UtcMillis),
        clocks: is.clocks.into_iter().map(running).collect::<Read<_>>()?,
        steps: is.steps.into_iter().map(taken).collect::<Read<_>>()?,
        round: is.round,
        department: department(is.department)?,
        claimed_by: is.claimed_by,
        notes: is.notes,
        files: is.files,
        version: is.version,
    })
}

#[derive(Serialize, Deserialize)]
struct CalledForm {
    department: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    responded_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "is_false")]
    late: bool,
}

/// A whistle call, open or closed.
#[derive(Serialize, Deserialize)]
pub(in crate::stored) struct WhistleForm {
    id: u64,
    level: String,
    area: String,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<u64>,
    area_path: Vec<String>,
    raised_ms: i64,
    due_ms: i64,
    called: Vec<CalledForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_ms: Option<i64>,
    version: u64,
}

pub(in crate::stored) fn whistle_form(whistle: &Whistle) -> WhistleForm {
    let called = |called: &Called| CalledForm {
        department: called.department.to_string(),
        responded_ms: called.responded.map(|at| at.0),
        late: called.late,
    };
    WhistleForm {
        id: whistle.id.0,
        level: whistle.call.level.word().to_owned(),
        area: whistle.call.area.to_string(),
        title: whistle.call.title.clone(),
        case: whistle.call.case.map(|case| case.0),
        area_path: texts(&whistle.area_path),
        raised_ms: whistle.raised.0,
        due_ms: whistle.due.0,
        called: whistle.called.iter().map(called).collect(),
        closed_ms: whistle.closed.map(|at| at.0),
        version: whistle.version,
    }
}

/// Departments were called in this order: the call's own list is that of the rows.
pub(in crate::stored) fn whistle(is: WhistleForm) -> Read<Whistle> {
    let mut called = Vec::new();
    for form in is.called {
        called.push(Called {
            department: code("called", form.department, DepartmentCode::new)?,
            responded: form.responded_ms.map(UtcMillis),
            late: form.late,
        });
    }
    Ok(Whistle {
        id: WhistleId(is.id),
        call: WhistleCall {
            level: spelt("level", &is.level)?,
            area: code("area", is.area, AreaCode::new)?,
            title: is.title,
            case: is.case.map(CaseId),
            called: called.iter().map(|called| called.department.clone()).collect(),
        },
        area_path: area_codes(is.area_path)?,
        raised: UtcMillis(is.raised_ms),
        due: UtcMillis(is.due_ms),
        called,
        closed: is.closed_ms.map(UtcMillis),
        version: is.version,
    })
}

/// When, what happens then, whose, and which of its clocks.
#[derive(Serialize, Deserialize)]
pub(super) struct DeadlineForm {
    at_ms: i64,
    alarm: String,
    of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whistle: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<String>,
}

pub(super) fn deadline_form((at, alarm, subject, of): &Deadline) -> DeadlineForm {
    let (case, whistle, department) = match subject {
        Subject::Case(case) => (Some(case.0), None, None),
        Subject::Whistle(whistle, department) => (None, Some(whistle.0), Some(department.to_string())),
    };
    let alarm = match alarm {
        Alarm::Nearing => "nearing",
        Alarm::Due => "due",
    };
    DeadlineForm { at_ms: at.0, alarm: alarm.to_owned(), of: of.key(), case, whistle, department }
}

pub(super) fn deadline(is: DeadlineForm) -> Read<Deadline> {
    let alarm = match is.alarm.as_str() {
        "nearing" => Alarm::Nearing,
        "due" => Alarm::Due,
        _ => return Err(word("alarm", is.alarm)),
    };
    let subject = match (is.case, is.whistle, department(is.department)?) {
        (Some(case), None, None) => Subject::Case(CaseId(case)),
        (None, Some(whistle), Some(department)) => Subject::Whistle(WhistleId(whistle), department),
        (..) => return Err(word("of", is.of)),
    };
    Ok((UtcMillis(is.at_ms), alarm, subject, clock_of(&is.of)?))
}
