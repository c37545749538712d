//! Requests (申请) within a stage: a department asks for time (延期) or for the case to be suspended (挂账), and supervision decides.
//!
//! What should be here: what is asked, which step may answer it, and what a step makes of the clocks that run. What should not: new due
//! times, which need the policy's calendar (`state::request`).

use super::step::{Leads, Often};
use super::{Case, Step};
use crate::clock::{Clock, ClockOf, Pause, Phase};
use crate::moment::UtcMillis;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// 延期: the limit of the disposal once more, from where it ends now.
    Extension,
    /// 挂账: the clocks of the disposal stand still until it is resumed.
    Suspension,
}

/// A step's part in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    None,
    /// 申请
    Asks(Request),
    /// 批准
    Grants(Request),
    /// 驳回: as if it had not been asked.
    Refuses(Request),
    /// 恢复: the suspension is over.
    Resumes,
}

/// Why a step does not fit what is asked of the case, though its stage is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Nothing of the kind waits for an answer.
    NotAsked,
    /// Something waits for an answer already.
    Asked,
    /// The disposal is overdue: what was late is not made in time afterwards.
    Overdue,
    /// No limit of the disposal is known that could be given once more.
    NoLimit,
    /// The case is suspended, and is resumed first.
    Suspended,
    NotSuspended,
}

impl Unfit {
    pub const ALL: [Self; 6] =
        [Self::NotAsked, Self::Asked, Self::Overdue, Self::NoLimit, Self::Suspended, Self::NotSuspended];
}

impl Request {
    /// What bounds how often it is granted; a refusal is not counted.
    #[must_use]
    pub fn often(self) -> Often {
        match self {
            Self::Extension => Often::Extensions,
            Self::Suspension => Often::Suspensions,
        }
    }
}

impl Case {
    /// The request that waits for an answer. One that was not answered when the case left its stage is void.
    #[must_use]
    pub fn pending(&self) -> Option<Request> {
        let last = self.steps.iter().rev().take_while(|taken| taken.step.to == Leads::Stays);
        last.map(|taken| taken.step.part).find(|part| *part != Part::None).and_then(|part| match part {
            Part::Asks(request) => Some(request),
            Part::None | Part::Grants(_) | Part::Refuses(_) | Part::Resumes => None,
        })
    }

    /// Whether its disposal is suspended (挂账).
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.running().any(|clock| clock.of == ClockOf::Suspension)
    }

    /// How often a request was granted.
    #[must_use]
    pub fn granted(&self, request: Request) -> usize {
        self.steps.iter().filter(|taken| taken.step.part == Part::Grants(request)).count()
    }

    /// Why the step does not fit what is asked of the case at `now`; none where it does.
    #[must_use]
    pub fn unfit(&self, step: Step, now: UtcMillis) -> Option<Unfit> {
        match (self.is_suspended(), step.part) {
            (false, Part::Resumes) => return Some(Unfit::NotSuspended),
            (true, Part::Resumes) => return None,
            (true, _) if !step.closes() => return Some(Unfit::Suspended),
            (true | false, _) => {}
        }
        let request = match (step.part, self.pending()) {
            (Part::None | Part::Resumes, _) => return None,
            (Part::Asks(_), Some(_)) => return Some(Unfit::Asked),
            (Part::Refuses(wanted), pending) => return (pending != Some(wanted)).then_some(Unfit::NotAsked),
            (Part::Grants(wanted), pending) if pending != Some(wanted) => return Some(Unfit::NotAsked),
            (Part::Asks(wanted) | Part::Grants(wanted), _) => wanted,
        };
        let disposal = self.running().find(|clock| clock.of == ClockOf::Disposal);
        match (disposal, request) {
            (Some(clock), _) if clock.phase == Phase::Overdue || now > clock.due => Some(Unfit::Overdue),
            (Some(clock), Request::Extension) if clock.limit.is_some() => None,
            (Some(_), Request::Suspension) => None,
            (Some(_) | None, _) => Some(Unfit::NoLimit),
        }
    }
}

impl Part {
    /// Whether it moves the due time of a clock.
    #[must_use]
    pub fn moves(self, of: ClockOf) -> bool {
        match self {
            Self::Grants(Request::Extension) => of == ClockOf::Disposal,
            Self::Resumes => is_of_disposal(of),
            Self::None | Self::Asks(_) | Self::Refuses(_) | Self::Grants(Request::Suspension) => false,
        }
    }

    /// What it makes of a running clock at once; a due time that moves by it comes with an event of its own.
    pub fn turn(self, clock: &mut Clock, at: UtcMillis) {
        if !is_of_disposal(clock.of) {
            return;
        }
        match self {
            Self::Grants(Request::Extension) if clock.of == ClockOf::Disposal => {
                clock.extended = clock.extended.saturating_add(1);
            }
            Self::Grants(Request::Suspension) => clock.paused.push(Pause { from: at, to: None }),
            Self::Resumes => {
                if let Some(pause) = clock.paused.last_mut() {
                    // A clock that was set back meanwhile makes no pause shorter than none.
                    pause.to = pause.to.or(Some(at.max(pause.from)));
                }
            }
            Self::None | Self::Asks(_) | Self::Refuses(_) | Self::Grants(Request::Extension) => {}
        }
    }
}

/// The disposal and its parts stand still together.
fn is_of_disposal(of: ClockOf) -> bool {
    match of {
        ClockOf::Disposal | ClockOf::Milestone(_) => true,
        ClockOf::Dispatch | ClockOf::Response | ClockOf::Suspension => false,
    }
}
