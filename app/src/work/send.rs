//! Commands from a seat: each sent with a key of its own, so that sending it again after silence is safe. Several may be on their
//! way; those that decide the same thing go one after another.
//!
//! What should be here: what waits for what, and what a press means just after an answer. What should not: how a thing sent
//! stands (`submit`), the words for it (`outcome`).

use domain::case::Step;
use domain::code::CaseId;
use domain::command::Command;
use leptos::prelude::*;
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::api::Order;
use crate::hall::{Hall, monotonic_ms, use_hall};
use crate::session::{self, Signed, use_session};
use crate::submit::Progress;
use crate::words::Language;

/// What a command is called, in the language of whoever reads it.
#[derive(Clone, Copy)]
pub enum What {
    Word(fn(Language) -> String),
    Step(Step),
}

impl What {
    pub fn words(self, language: Language) -> String {
        match self {
            Self::Word(word) => word(language),
            Self::Step(step) => step.act(language).to_owned(),
        }
    }
}

/// A command that was sent, and how it stands.
#[derive(Clone)]
pub struct Sent {
    turn: u32,
    pub what: What,
    /// The case it was sent from, and its number.
    pub of: Option<(CaseId, String)>,
    pub progress: Progress,
    command: Command,
    place: Place,
    order: Order,
}

#[derive(Serialize)]
struct Envelope<'a> {
    key: String,
    /// Version of the case on which the user decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<u64>,
    command: &'a Command,
}

/// A step is not taken sooner after the last one was answered: its button has become that of the next step.
const REST_MS: f64 = 1_000.0;

/// What has become of the place a command was sent from, and so what a second press there would mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The button of the next step.
    NextStep,
    /// It has gone: the press falls on whatever is there now.
    Gone,
    /// It stands as it stood.
    Stays,
}

/// Whether a command waits until the other is answered: both stand in the hand of the same case, where an impatient second press of
/// one would be the first of the next; or they are the same. A note waits for nothing, and nothing for a note.
fn waits_for(next: &Command, sent: &Command) -> bool {
    match (in_hand_of(next), in_hand_of(sent)) {
        (Some(next), Some(sent)) => next == sent,
        _ => next == sent,
    }
}

/// The case whose buttons sent the command.
fn in_hand_of(command: &Command) -> Option<CaseId> {
    match command {
        Command::Step(take) => Some(take.case),
        Command::ClaimCase { case } => Some(*case),
        Command::RaiseWhistle { call } => call.case,
        Command::ReportCase { .. }
        | Command::TakeOverCase { .. }
        | Command::NoteCase { .. }
        | Command::AttachFile { .. }
        | Command::RespondToWhistle { .. }
        | Command::CloseWhistle { .. }
        | Command::DefineCatalogue { .. }
        | Command::PassDeadlines => None,
    }
}

/// Hears what became of a command: whether it was carried out.
type Heard = Callback<(Command, bool)>;

/// Sends commands.
#[derive(Clone, Copy)]
pub struct Sending {
    /// Those whose words still stand, the oldest first.
    pub sent: RwSignal<Vec<Sent>>,
    turn: StoredValue<u32>,
    signed: Signed,
    hall: Hall,
    /// Counts commands that were carried out.
    pub done: RwSignal<u32>,
    /// Counts steps that were answered.
    pub stepped: RwSignal<u32>,
    heard: StoredValue<Option<Heard>>,
    /// When what the next step would be may last have changed, by the page's own clock.
    changed: StoredValue<f64>,
}

impl Sending {
    pub fn new() -> Self {
        Self {
            sent: RwSignal::new(Vec::new()),
            turn: StoredValue::new(0),
            signed: use_session(),
            hall: use_hall(),
            done: RwSignal::new(0),
            stepped: RwSignal::new(0),
            heard: StoredValue::new(None),
            changed: StoredValue::new(f64::MIN),
        }
    }

    /// Who hears what became of each command.
    pub fn on_answer(self, hear: impl Fn((Command, bool)) + Send + Sync + 'static) {
        self.heard.set_value(Some(Callback::new(hear)));
    }

    /// Sends the step of the case's stage. A second press meant for the step before is not heard.
    pub fn step(self, command: Command, seen: u64, what: What, of: (CaseId, String)) {
        if monotonic_ms() - self.changed.get_value() >= REST_MS {
            self.send_from(Place::NextStep, command, Some(seen), what, Some(of));
        }
    }

    /// Tracked: whether the command would wait for one that is on its way; it is not taken meanwhile.
    pub fn is_busy(self, next: &Command) -> bool {
        let waits = |sent: &Sent| sent.progress == Progress::Busy && waits_for(next, &sent.command);
        self.sent.with(|sent| sent.iter().any(waits))
    }

    /// What the next step would be has just changed on the screen.
    pub fn rest(self) {
        self.changed.set_value(monotonic_ms());
    }

    /// The form or button it was sent from goes, and a second press is no step.
    pub fn send(self, command: Command, what: What, of: Option<(CaseId, String)>) -> bool {
        self.send_from(Place::Gone, command, None, what, of)
    }

    /// The same for what is decided on a case as it stands: the server refuses it when the case has moved on since.
    pub fn send_seen(self, command: Command, seen: u64, what: What, of: (CaseId, String)) {
        self.send_from(Place::Stays, command, Some(seen), what, Some(of));
    }

    /// Whether it was sent.
    fn send_from(
        self,
        place: Place,
        command: Command,
        seen: Option<u64>,
        what: What,
        of: Option<(CaseId, String)>,
    ) -> bool {
        if untrack(|| self.is_busy(&command)) {
            return false;
        }
        if place == Place::Gone {
            self.rest();
        }
        let envelope = Envelope { key: new_key(self.hall.present().0), seen, command: &command };
        let order = match Order::post("/api/v1/commands", &envelope) {
            Ok(order) => order,
            Err(error) => {
                leptos::logging::error!("a command cannot be written: {error}");
                return false;
            }
        };
        let turn = self.turn.get_value().wrapping_add(1);
        self.turn.set_value(turn);
        self.tidy();
        let sent = Sent { turn, what, of, progress: Progress::Busy, command, place, order };
        self.sent.update(|all| all.push(sent.clone()));
        spawn_local(self.carry(sent));
        true
    }

    /// Sends again what had no answer, under the same keys: it is carried out once, however often it arrives.
    pub fn resend(self) {
        let unsure = self.sent.try_update(|all| {
            let unsure = all.iter_mut().filter(|sent| matches!(sent.progress, Progress::Unsure(_)));
            let again = unsure.map(|sent| {
                sent.progress = Progress::Busy;
                sent.clone()
            });
            again.collect::<Vec<_>>()
        });
        for sent in unsure.unwrap_or_default() {
            spawn_local(self.carry(sent));
        }
    }

    /// What is settled has been read once something else is done; what is on its way or unsure stays.
    pub fn tidy(self) {
        self.sent
            .update(|all| all.retain(|sent| matches!(sent.progress, Progress::Busy | Progress::Unsure(_))));
    }

    async fn carry(self, sent: Sent) {
        let csrf = session::csrf(self.signed);
        let progress = Progress::of(&sent.order.go(csrf.as_deref()).await);
        // The seat may have been left meanwhile.
        if self.sent.is_disposed() {
            return;
        }
        let carried_out = progress == Progress::Done;
        let settled = carried_out || matches!(progress, Progress::Refused(_));
        self.sent.update(|all| {
            if let Some(held) = all.iter_mut().find(|held| held.turn == sent.turn) {
                held.progress = progress;
            }
        });
        match sent.place {
            Place::NextStep => {
                self.rest();
                self.stepped.update(|stepped| *stepped = stepped.wrapping_add(1));
            }
            // The step's button has waited for the answer to a call, and so may an impatient hand.
            Place::Gone if in_hand_of(&sent.command).is_some() => self.rest(),
            Place::Gone | Place::Stays => {}
        }
        if let (Some(heard), true) = (self.heard.get_value(), settled) {
            heard.run((sent.command, carried_out));
        }
        if carried_out {
            self.done.update(|done| *done = done.wrapping_add(1));
        }
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill_random(bytes: &js_sys::Uint8Array);
}

/// A new UUID of version 7. `randomUUID` is missing on pages that come over plain HTTP; `getRandomValues` is not.
fn new_key(now_ms: i64) -> String {
    let random = js_sys::Uint8Array::new_with_length(10);
    fill_random(&random);
    let mut bytes = [0; 10];
    random.copy_to(&mut bytes);
    uuid_v7(now_ms, bytes)
}

fn uuid_v7(now_ms: i64, random: [u8; 10]) -> String {
    let mut bytes = [0u8; 16];
    bytes[..6].copy_from_slice(&now_ms.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use domain::case::{Stage, Step};

    use super::*;

    #[test]
    fn a_key_is_a_uuid_of_version_7() {
        let key = uuid_v7(0x0123_4567_89ab, [0xff; 10]);
        assert_eq!(key, "01234567-89ab-7fff-bfff-ffffffffffff");
    }

    #[test]
    fn a_note_holds_up_nothing_and_two_decisions_on_a_case_go_one_after_another() {
        let step = |case| Step::out_of(Stage::Accept).unwrap().take(CaseId(case));
        let claim = |case| Command::ClaimCase { case: CaseId(case) };
        let note = |text: &str| Command::NoteCase { case: CaseId(1), text: text.to_owned() };
        assert!(!waits_for(&step(1), &note("已联系")), "a dispatch does not wait for a note");
        assert!(!waits_for(&note("已联系"), &step(1)) && !waits_for(&note("二"), &note("一")));
        assert!(waits_for(&note("一"), &note("一")), "the same note is not sent twice");
        assert!(
            waits_for(&step(1), &step(1)) && waits_for(&step(1), &claim(1)) && waits_for(&claim(1), &step(1))
        );
        assert!(!waits_for(&step(2), &step(1)), "another case goes its own way");
    }
}
