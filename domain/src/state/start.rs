//! Which clocks begin with a step, and when they run out.

use super::State;
use super::check::out_of_range;
use crate::adoption::InForce;
use crate::case::{Case, Report, Step};
use crate::clock::{Clock, ClockOf, Limit, LimitKind};
use crate::moment::{MINUTE_MS, UtcMillis};
use crate::policy::Policy;
use crate::rejection::{RangeProblem, Rejection};

/// A clock of the policy in force.
pub(super) fn clock(
    in_force: &InForce,
    of: ClockOf,
    started: UtcMillis,
    limit: Limit,
) -> Result<Clock, Rejection> {
    let begun = Clock { of, limit: Some(limit), ..Clock::known(started, started) };
    anew(in_force, &begun).map_or_else(|| out_of_range("limit", RangeProblem::NoDue), Ok)
}

/// The clock with the due time that the policy in force gives it; none where that cannot be told.
pub(super) fn anew(in_force: &InForce, clock: &Clock) -> Option<Clock> {
    let policy = &in_force.policy;
    let offset = policy.utc_offset_minutes;
    let due = clock.due_by(&policy.calendar, offset)?;
    let nearing = due.plus(-i64::from(policy.forecast_minutes) * MINUTE_MS).max(clock.started);
    let provisional = clock.limit.is_some_and(|limit| policy.calendar.is_provisional(due, limit, offset));
    Some(Clock { nearing, due, provisional, planned: in_force.version, ..clock.clone() })
}

/// Clocks that begin when a case takes `step` at `now`.
pub(super) fn clocks(
    state: &State,
    step: Step,
    case: &Case,
    asked: Option<Limit>,
    now: UtcMillis,
) -> Result<Vec<Clock>, Rejection> {
    let in_force = state.in_force();
    let policy = &in_force.policy;
    let mut started = Vec::new();
    for of in step.starts {
        match of {
            ClockOf::Dispatch => started.push(clock(in_force, *of, now, policy.dispatch_limit)?),
            ClockOf::Disposal => {
                let before = case.clock(*of).filter(|_| !step.limit).and_then(|last| again(case, last));
                let (milestones, whole) =
                    before.unwrap_or_else(|| disposal(state, policy, &case.report, asked));
                for (number, limit) in (1..).zip(milestones) {
                    started.push(clock(in_force, ClockOf::Milestone(number), now, limit)?);
                }
                started.push(clock(in_force, *of, now, whole)?);
            }
            ClockOf::Suspension => {
                let days = Limit::new(policy.side_paths.suspension_days.into(), LimitKind::URGENT_DAY);
                started.push(clock(in_force, *of, now, days)?);
            }
            // Milestones come with the disposal, responses with a whistle call.
            ClockOf::Milestone(_) | ClockOf::Response => {}
        }
    }
    Ok(started)
}

/// The limits that a disposal had before, for whoever has to do it once more (返工): what was set for it by hand holds again.
fn again(case: &Case, last: &Clock) -> Option<(Vec<Limit>, Limit)> {
    let of_round =
        |clock: &&Clock| matches!(clock.of, ClockOf::Milestone(_)) && clock.started == last.started;
    let milestones = case.clocks.iter().filter(of_round).filter_map(|clock| clock.limit).collect();
    Some((milestones, last.limit?))
}

/// 处置时限: what was asked for, else the condition's, else the class's, else the policy's; before it the condition's
/// earlier milestones.
fn disposal(state: &State, policy: &Policy, report: &Report, asked: Option<Limit>) -> (Vec<Limit>, Limit) {
    let condition = state.catalogue.condition(&report.class, report.condition.as_deref());
    let limits = condition.into_iter().flat_map(|condition| &condition.milestones);
    let mut limits: Vec<Limit> = limits.map(|milestone| milestone.limit).collect();
    let of_condition = limits.pop();
    let of_class = state.catalogue.classes.get(&report.class).and_then(|class| class.disposal_limit);
    match asked {
        // Whoever sets a limit of their own has set the parts aside as well.
        Some(limit) => (Vec::new(), limit),
        None => (limits, of_condition.or(of_class).unwrap_or(policy.disposal_limit)),
    }
}
