//! Years of the city as the rules see them: every deed is a command that the domain decides and applies, at its own time,
//! and deadlines fire between deeds as the timer would let them.
//!
//! What should be here: commands, who gives them, what comes of them. What should not: rows (`rows`), where they are written
//! (`fill`).

use anyhow::{Context, ensure};
use domain::case::Step;
use domain::code::WhistleId;
use domain::command::Command;
use domain::event::{By, Door, Event, Recorded};
use domain::moment::UtcMillis;
use domain::policy::Policy;
use domain::role::Role;
use domain::state::{Changes, State, decide};
use server::log::Line;
use server::stored::policy::Genesis;
use server::stored::{self, person};
use sim::city::years::{Act, Deed, Seat, Span, Years};
use sim::schematic::Schematic;

/// What a department says when it is done.
const DONE: &str = "已处置";

/// One command, and what came of it.
#[derive(Debug)]
pub struct Done {
    pub at: UtcMillis,
    pub by: By,
    pub command: Command,
    pub happened: Vec<Happened>,
}

/// One event, and what it changed.
#[derive(Debug)]
pub struct Happened {
    /// Without whoever reported the case.
    pub recorded: Recorded,
    pub reporter: Option<String>,
    /// Of the case it is about, as it stands then.
    pub line: Option<Line>,
    pub changes: Changes,
}

impl Happened {
    /// It closed a case or ended a whistle call.
    pub fn ends_something(&self) -> bool {
        self.closes_a_case() || self.changes.whistle.as_ref().is_some_and(|whistle| whistle.closed.is_some())
    }

    pub fn closes_a_case(&self) -> bool {
        self.changes.case.as_ref().is_some_and(|case| !case.is_open())
    }
}

/// The city on its way.
pub struct Life {
    years: Box<dyn Iterator<Item = Deed>>,
    /// The deed that comes next, while deadlines before it are still to fire.
    next: Option<Deed>,
    pub state: State,
    policy: Policy,
    until: UtcMillis,
}

impl Life {
    pub fn new(policy: Policy, span: Span) -> anyhow::Result<Self> {
        let city = Schematic::build().context("cannot build the schematic city")?;
        let state = Genesis::of(&policy).state();
        let (calendar, limit) = (policy.calendar.clone(), policy.dispatch_limit);
        let due = move |filed: UtcMillis| calendar.due(filed, limit, span.offset).unwrap_or(filed);
        let mut years = Box::new(Years::new(&city, span, due));
        let next = years.next();
        Ok(Self { years, next, state, policy, until: span.until })
    }

    /// The next command and what comes of it; none when the years are over.
    pub fn next(&mut self) -> anyhow::Result<Option<Done>> {
        let until = self.next.as_ref().map_or(self.until, |deed| deed.at);
        if let Some(at) = self.timer_wakes().filter(|at| *at <= until) {
            return self.carry_out(at, By::timer(), Command::PassDeadlines).map(Some);
        }
        let Some(Deed { at, by, act }) = self.next.take() else { return Ok(None) };
        self.next = self.years.next();
        let command = command(act)?;
        self.carry_out(at, who(by), command).map(Some)
    }

    /// When the timer has something to record: the first deadline, the end of the local day, the very first moment.
    fn timer_wakes(&self) -> Option<UtcMillis> {
        if self.state.seq == 0 {
            return self.next.as_ref().map(|deed| deed.at);
        }
        let midnight = self.state.today.plus_days(1).midnight(self.policy.utc_offset_minutes);
        Some(self.state.next_deadline().map_or(midnight, |due| due.min(midnight)))
    }

    fn carry_out(&mut self, at: UtcMillis, by: By, command: Command) -> anyhow::Result<Done> {
        let events = decide(&self.state, &command, at);
        let events = events.with_context(|| format!("{} at {at:?} was refused", command.name()))?;
        ensure!(!events.is_empty(), "{} at {at:?} made no event", command.name());
        let happened = events.into_iter().map(|event| self.happen(event, at, &by)).collect();
        Ok(Done { at, by, command, happened })
    }

    fn happen(&mut self, mut event: Event, at: UtcMillis, by: &By) -> Happened {
        let reporter = person::take(&mut event);
        let recorded = Recorded { seq: self.state.seq + 1, at, by: by.clone(), event };
        let changes = self.state.apply(&recorded);
        let about = recorded.event.case();
        let case = changes.case.as_ref().or_else(|| self.state.cases.get(&about?));
        let line = case.map(stored::line);
        Happened { recorded, reporter, line, changes }
    }
}

fn command(act: Act) -> anyhow::Result<Command> {
    Ok(match act {
        Act::Report(planned) => Command::ReportCase { report: planned.report, at: None },
        Act::Claim(case) => Command::ClaimCase { case },
        Act::Note(case, text) => Command::NoteCase { case, text: text.to_owned() },
        Act::Leave(case, stage, department) => {
            let step = Step::out_of(stage).with_context(|| format!("no step leaves {}", stage.key()))?;
            if step.asks_department() { step.take_for(case, department) } else { step.take_with(case, DONE) }
        }
        Act::Call(call) => Command::RaiseWhistle { call },
        Act::Respond(whistle, department) => {
            Command::RespondToWhistle { whistle: WhistleId(whistle), department }
        }
        Act::EndCall(whistle) => Command::CloseWhistle { whistle: WhistleId(whistle), note: DONE.to_owned() },
    })
}

/// The account or token that sits there.
fn who(seat: Seat) -> By {
    let (name, role, door) = match seat {
        Seat::Machine => ("city".to_owned(), Role::Machine, Door::Api),
        Seat::Supervisor(number) => (format!("监督{number:02}"), Role::Supervisor, Door::Desk),
        Seat::Dispatcher(number) => (format!("派遣{number:02}"), Role::Dispatcher, Door::Desk),
        Seat::Department(code) => (code.to_string(), Role::Department, Door::Desk),
    };
    By { name, roles: vec![role], door }
}
