//! Years of the city as the rules see them: every deed is a command that the domain decides and applies, at its own time,
//! and deadlines fire between deeds as the timer would let them.
//!
//! What should be here: commands, who gives them, the rows that come of them. What should not: where rows are written.

use anyhow::{Context, ensure};
use domain::case::Step;
use domain::code::{CaseId, WhistleId};
use domain::command::Command;
use domain::event::{By, Door, Event, Recorded};
use domain::moment::{DAY_MS, UtcMillis};
use domain::policy::Policy;
use domain::role::Role;
use domain::state::{Changes, State, decide};
use server::log::seal::Secret;
use server::log::{CommandRow, EventRow, PersonRow};
use server::stored;
use server::stored::{answer, person};
use sha2::{Digest, Sha256};
use sim::city::years::{Act, Deed, Seat, Span, Years};
use sim::schematic::Schematic;

/// What a department says when it is done.
const DONE: &str = "已处置";

/// One command as the log keeps it, and what of it ended.
#[derive(Debug)]
pub struct Done {
    pub at: UtcMillis,
    pub events: Vec<EventRow>,
    /// None of those whose keys have ended.
    pub command: Option<CommandRow>,
    pub person: Option<PersonRow>,
    /// The event that closed a case or ended a whistle call, and how it stands now.
    pub ended: Option<(u64, Changes)>,
}

/// The city on its way.
pub struct Life {
    years: Box<dyn Iterator<Item = Deed>>,
    /// The deed that comes next, while deadlines before it are still to fire.
    next: Option<Deed>,
    pub state: State,
    policy: Policy,
    secret: Secret,
    until: UtcMillis,
    /// Keys of commands before this have ended, as a policy that ends them leaves a store.
    keys_from: UtcMillis,
}

/// How long keys are kept.
const KEYS_DAYS: i64 = 31;

impl Life {
    /// `secret` is that of the log the rows are for.
    pub fn new(policy: Policy, span: Span, secret: Secret) -> anyhow::Result<Self> {
        let city = Schematic::build().context("cannot build the schematic city")?;
        let state = State::new(&policy);
        let (calendar, limit) = (policy.calendar.clone(), policy.dispatch_limit);
        let due = move |filed: UtcMillis| calendar.due(filed, limit, span.offset).unwrap_or(filed);
        let mut years = Box::new(Years::new(&city, span, due));
        let next = years.next();
        let keys_from = span.until.plus(-KEYS_DAYS * DAY_MS);
        Ok(Self { years, next, state, policy, secret, until: span.until, keys_from })
    }

    /// The next command and what comes of it; none when the years are over.
    pub fn next(&mut self) -> anyhow::Result<Option<Done>> {
        let until = self.next.as_ref().map_or(self.until, |deed| deed.at);
        if let Some(at) = self.timer_wakes().filter(|at| *at <= until) {
            return self.carry_out(at, &By::timer(), Command::PassDeadlines).map(Some);
        }
        let Some(Deed { at, by, act }) = self.next.take() else { return Ok(None) };
        self.next = self.years.next();
        let command = command(act)?;
        self.carry_out(at, &who(by), command).map(Some)
    }

    /// When the timer has something to record: the first deadline, the end of the local day, the very first moment.
    fn timer_wakes(&self) -> Option<UtcMillis> {
        if self.state.seq == 0 {
            return self.next.as_ref().map(|deed| deed.at);
        }
        let midnight = self.state.today.plus_days(1).midnight(self.policy.utc_offset_minutes);
        Some(self.state.next_deadline().map_or(midnight, |due| due.min(midnight)))
    }

    fn carry_out(&mut self, at: UtcMillis, by: &By, command: Command) -> anyhow::Result<Done> {
        let events = decide(&self.state, &command, &self.policy, at);
        let events = events.with_context(|| format!("{} at {at:?} was refused", command.name()))?;
        ensure!(!events.is_empty(), "{} at {at:?} made no event", command.name());
        let mut done =
            Done { at, events: Vec::with_capacity(events.len()), command: None, person: None, ended: None };
        for event in events {
            self.happen(event, at, by, &mut done);
        }
        if at >= self.keys_from {
            done.command = Some(self.row_of(at, by, &command, &done.events)?);
        }
        Ok(done)
    }

    fn happen(&mut self, mut event: Event, at: UtcMillis, by: &By, done: &mut Done) {
        let reporter = person::take(&mut event);
        let mark = reporter.as_ref().map(|reporter| person::mark(&self.secret, reporter));
        let recorded = Recorded { seq: self.state.seq + 1, at, by: by.clone(), event };
        let changes = self.state.apply(&recorded);
        let line = changes.case.as_ref().map(stored::line);
        done.events.push(stored::row(&recorded, line, mark.as_deref()));
        done.person =
            changes.case.as_ref().zip(reporter).map(|(case, name)| person::sealed(case.id.0, &name));
        let closed = changes.case.as_ref().is_some_and(|case| !case.is_open());
        if closed || changes.whistle.as_ref().is_some_and(|whistle| whistle.closed.is_some()) {
            done.ended = Some((recorded.seq, changes));
        }
    }

    /// The command's own row. Its key is made of its place in the log, so that the same seed gives the same keys.
    fn row_of(
        &self,
        at: UtcMillis,
        by: &By,
        command: &Command,
        events: &[EventRow],
    ) -> anyhow::Result<CommandRow> {
        let (first, last) = events.first().zip(events.last()).context("a command made no event")?;
        let digest = Sha256::digest(first.seq.to_be_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        // The first six bytes are the time, as in a key of version 7: the newest stand together.
        key[..6].copy_from_slice(&at.0.to_be_bytes()[2..]);
        let form = person::FINGERPRINT_FORM;
        let fingerprint = person::fingerprint(&self.secret, form, command);
        let fingerprint = fingerprint.context("the present form has no fingerprint")?;
        let about = answer::About {
            case: first.case.map(CaseId),
            whistle: first.whistle.map(WhistleId),
            number: first.line.as_ref().map(|line| line.number.clone()),
        };
        Ok(CommandRow {
            no: 0,
            at: at.0,
            actor: by.name.clone(),
            key,
            fingerprint,
            form,
            first: first.seq,
            last: last.seq,
            answer: answer::encode(&about),
            lasting: false,
        })
    }
}

fn command(act: Act) -> anyhow::Result<Command> {
    Ok(match act {
        Act::Report(planned) => Command::ReportCase { report: planned.report, at: None },
        Act::Claim(case) => Command::ClaimCase { case },
        Act::Note(case, text) => Command::NoteCase { case, text: text.to_owned() },
        Act::Leave(case, stage, department) => {
            let step = Step::out_of(stage).with_context(|| format!("no step leaves {}", stage.key()))?;
            if step.asks.department { step.take_for(case, department) } else { step.take_with(case, DONE) }
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
