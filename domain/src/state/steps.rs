//! How a case begins and what a step makes of it: the row says which stage, clocks and counts.
//!
//! What should not be here: whether a step may be taken (`decide`), tallies and deadlines (`State::change`).

use crate::case::history::History;
use crate::case::step::Disposer;
use crate::case::{Case, Report, Stage, Stepped, Taken};
use crate::clock::Clock;
use crate::code::{AreaCode, CaseId, DepartmentCode};
use crate::event::Recorded;
use crate::moment::UtcMillis;
use crate::tally::Measure;

/// A case that was reported here.
pub(super) fn reported(
    id: CaseId,
    number: &str,
    report: &Report,
    area_path: &[AreaCode],
    seen: UtcMillis,
) -> Case {
    Case {
        id,
        number: number.to_owned(),
        report: report.clone(),
        area_path: area_path.to_vec(),
        stage: Stage::Accept,
        reported: seen,
        stage_since: seen,
        filed: None,
        dispatched: None,
        closed: None,
        clocks: Vec::new(),
        steps: Vec::new(),
        round: 1,
        department: None,
        claimed_by: None,
        notes: 0,
        files: 0,
        // Set when the case is kept.
        version: 0,
    }
}

/// What is known of a case from before it came here.
pub(super) struct Past<'a> {
    pub(super) history: &'a History,
    pub(super) started: &'a [Clock],
    pub(super) recorded: &'a Recorded,
}

/// A case that another system began. What is not known of its past stays unknown.
pub(super) fn taken_over(
    id: CaseId,
    number: &str,
    report: &Report,
    area_path: &[AreaCode],
    past: &Past<'_>,
) -> Case {
    let Past { history, started, recorded } = past;
    let steps = history.steps.iter().map(|known| Taken {
        step: known.step,
        at: known.at,
        by: recorded.by.name.clone(),
        department: None,
        late: false,
        round: 1,
        seq: recorded.seq,
    });
    let steps: Vec<Taken> = steps.collect();
    let time_of =
        |measure| steps.iter().find(|taken| taken.step.counts.contains(&measure)).map(|taken| taken.at);
    Case {
        stage: if history.closed.is_some() { Stage::Close } else { history.stage },
        stage_since: steps.last().map_or(history.opened, |taken| taken.at),
        filed: time_of(Measure::Filed),
        dispatched: time_of(Measure::Dispatched),
        closed: history.closed,
        clocks: started.to_vec(),
        steps,
        ..reported(id, number, report, area_path, history.opened)
    }
}

/// What is counted once for a case that begins here, and when it happened.
pub(super) fn entry_flows(case: &Case) -> Vec<(Measure, UtcMillis)> {
    let known =
        case.steps.iter().flat_map(|taken| taken.step.counts.iter().map(|measure| (*measure, taken.at)));
    let closed = case.closed.map(|at| (Measure::Closed, at));
    std::iter::once((Measure::Reported, case.reported)).chain(known).chain(closed).collect()
}

/// Where a case that begins here has waited and since when: the stages it came to, and left. Where the known steps do not lead
/// from the first stage to its own, nobody knows when it stood where: then it waits here since it came here.
pub(super) fn entry_moves(case: &Case, recorded: &Recorded) -> Vec<(Stage, i64, UtcMillis)> {
    let mut moves = vec![(Stage::Accept, 1, case.reported)];
    let mut stage = Stage::Accept;
    let mut whole = true;
    for taken in &case.steps {
        whole &= taken.step.does_work_of(stage) && !taken.step.closes();
        moves.push((stage, -1, taken.at));
        stage = taken.step.stage_after(stage);
        moves.push((stage, 1, taken.at));
    }
    moves.extend(case.closed.map(|at| (stage, -1, at)));
    match (whole && stage == case.stage, case.is_open()) {
        (true, _) => moves,
        (false, true) => vec![(case.stage, 1, recorded.at)],
        (false, false) => Vec::new(),
    }
}

/// Takes a step; what is counted for it.
pub(super) fn take(case: &mut Case, stepped: &Stepped, recorded: &Recorded) -> Vec<(Measure, UtcMillis)> {
    let (step, at) = (stepped.step, recorded.at);
    let mut late = false;
    for clock in case.clocks.iter_mut().filter(|clock| clock.is_running()) {
        // Nothing runs on after the closing.
        if step.closes() || step.ends(clock.of) {
            clock.stopped = Some(at);
            late |= step.stops.contains(&clock.of) && clock.was_late();
        }
    }
    for clock in case.clocks.iter_mut().filter(|clock| clock.is_running()) {
        step.part.turn(clock, at);
    }
    case.clocks.extend(stepped.started.iter().cloned());
    let whose = hand_on(case, stepped);
    let after = step.stage_after(case.stage);
    // A stage begins when the case comes to it. One that goes round in one stage begins it anew.
    if after != case.stage || step.leads_back() {
        (case.stage, case.stage_since) = (after, at);
    }
    if step.closes() {
        (case.closed, case.notes, case.files) = (Some(at), 0, 0);
    }
    let measures = step.counts.iter().chain(step.counts_late.iter().filter(|_| late));
    let flows: Vec<(Measure, UtcMillis)> = measures.map(|measure| (*measure, at)).collect();
    for (measure, at) in &flows {
        note_time(case, *measure, *at);
    }
    case.steps.push(Taken {
        step,
        at,
        by: recorded.by.name.clone(),
        department: whose,
        late,
        round: case.round,
        seq: recorded.seq,
    });
    if step.leads_back() {
        case.round = case.round.saturating_add(1);
    }
    flows
}

/// Whose the case is after the step; whose business the step was.
fn hand_on(case: &mut Case, stepped: &Stepped) -> Option<DepartmentCode> {
    match stepped.step.department {
        Disposer::Kept => case.department.clone(),
        Disposer::Asked => {
            // An event of a build in which the step asked for none leaves it whose it is.
            case.department = stepped.department.clone().or_else(|| case.department.take());
            case.department.clone()
        }
        Disposer::Cleared => case.department.take(),
    }
}

/// The last time of what lists ask for.
fn note_time(case: &mut Case, measure: Measure, at: UtcMillis) {
    match measure {
        Measure::Filed => case.filed = Some(at),
        Measure::Dispatched => case.dispatched = Some(at),
        Measure::Open
        | Measure::At(_)
        | Measure::Reported
        | Measure::Closed
        | Measure::Returned
        | Measure::Reworked
        | Measure::NotAccepted
        | Measure::NotFiled
        | Measure::Voided
        | Measure::ClosedByForce
        | Measure::ClosedSpecially
        | Measure::ClosedAsFaulty
        | Measure::Extended
        | Measure::Suspended
        | Measure::DispatchedLate
        | Measure::OverdueDispatch
        | Measure::NearingDispatch
        | Measure::OverdueDisposal
        | Measure::WhistleRaised
        | Measure::WhistleOpen
        | Measure::WhistleLate => {}
    }
}
