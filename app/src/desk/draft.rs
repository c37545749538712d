//! What a person has written for a case and not sent yet: a note, the remark of a step, a call. It waits for them while they look at
//! other cases or load another page in the tab, and comes back when the hall has refused it.
//!
//! What should not be here: the fields it is written in (`history`, `act`, `whistle`).

use domain::code::{CaseId, DepartmentCode};
use domain::command::Command;
use domain::whistle::WhistleLevel;
use leptos::prelude::*;

use crate::order::Sorted;
use crate::{api, kept, world};

/// All that is written for one case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    pub note: String,
    pub remark: String,
    pub call: Option<Call>,
}

/// A call that is being written.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub level: WhistleLevel,
    pub title: String,
    pub called: Vec<DepartmentCode>,
}

impl Call {
    /// One that calls nobody yet.
    pub fn about(title: String) -> Self {
        Self { level: WhistleLevel::Street, title, called: Vec::new() }
    }

    /// Says what for, and calls somebody.
    pub fn is_ready(&self) -> bool {
        !self.title.trim().is_empty() && !self.called.is_empty()
    }
}

impl Written {
    /// A command was answered: what it carried is written no more, and a note that was refused is there again. The note was taken out
    /// of its field when it was sent; whatever stands there since is newer.
    fn hear(&mut self, command: &Command, carried_out: bool) {
        if let Command::NoteCase { text, .. } = command
            && !carried_out
            && self.note.is_empty()
        {
            text.clone_into(&mut self.note);
        }
        if matches!(command, Command::RaiseWhistle { .. }) && carried_out {
            self.call = None;
        }
        if matches!(command, Command::Step(_)) && carried_out {
            self.remark.clear();
        }
    }
}

/// What is written for a case as the tab keeps it: note, remark, and level, title and departments of a call.
type Kept = (CaseId, String, String, Option<(WhistleLevel, String, Vec<DepartmentCode>)>);

fn to_keep((case, written): &(CaseId, Written)) -> Kept {
    let Written { note, remark, call } = written.clone();
    (*case, note, remark, call.map(|call| (call.level, call.title, call.called)))
}

fn of_kept((case, note, remark, call): Kept) -> (CaseId, Written) {
    let call = call.map(|(level, title, called)| Call { level, title, called });
    (case, Written { note, remark, call })
}

/// What is written, by case.
#[derive(Clone, Copy)]
pub struct Drafts {
    all: RwSignal<Sorted<CaseId, Written>>,
    opened: Memo<Option<CaseId>>,
}

impl Drafts {
    pub fn new(opened: Memo<Option<CaseId>>) -> Self {
        Self { all: RwSignal::new(Sorted::default()), opened }
    }

    /// Brings back what the account had written in this tab before a page was loaded, and keeps it for the next one.
    pub fn keep_for(self, account: impl Fn() -> String + Copy + Send + Sync + 'static) {
        let key = move || format!("gridhall.written.{}.{}", world::base(), account());
        Effect::new(move |read: Option<bool>| {
            let known = read == Some(true) || !account().is_empty();
            if known && read != Some(true) {
                let text = untrack(|| kept::read_here(&key()));
                let value = text.and_then(|text| js_sys::JSON::parse(&text).ok());
                let held = value.and_then(|value| api::from_js::<Vec<Kept>>(value).ok());
                // Whatever was written before the account was known is newer.
                self.all.update(|all| {
                    for (case, written) in held.unwrap_or_default().into_iter().map(of_kept) {
                        if !all.has(&case) {
                            all.put(case, written);
                        }
                    }
                });
            }
            known
        });
        let leaving = window_event_listener(leptos::ev::pagehide, move |_| {
            let key = untrack(key);
            let all: Vec<Kept> = self.all.with_untracked(|all| all.iter().map(to_keep).collect());
            let value = api::to_js(&all).ok();
            let text = value.and_then(|value| js_sys::JSON::stringify(&value).ok());
            if let Some(text) = text {
                kept::keep_here(&key, &String::from(text));
            }
        });
        on_cleanup(move || leaving.remove());
    }

    /// Tracked: what is written for the open case.
    pub fn with<T: Default>(self, read: impl FnOnce(&Written) -> T) -> T {
        let Some(case) = self.opened.get() else { return T::default() };
        self.all.with(|all| all.get(&case).map_or_else(T::default, read))
    }

    /// Writes for the open case.
    pub fn write(self, change: impl FnOnce(&mut Written)) {
        if let Some(case) = self.opened.get_untracked() {
            self.change(case, change);
        }
    }

    fn change(self, case: CaseId, change: impl FnOnce(&mut Written)) {
        self.all.update(|all| {
            let mut written = all.get(&case).cloned().unwrap_or_default();
            change(&mut written);
            match written == Written::default() {
                true => all.remove(&case),
                false => all.put(case, written),
            }
        });
    }

    /// Hears what became of a command.
    pub fn hear(self, command: &Command, carried_out: bool) {
        let case = match command {
            Command::NoteCase { case, .. } => Some(*case),
            Command::RaiseWhistle { call } => call.case,
            Command::Step(take) => Some(take.case),
            Command::ReportCase { .. }
            | Command::TakeOverCase { .. }
            | Command::ClaimCase { .. }
            | Command::AttachFile { .. }
            | Command::RespondToWhistle { .. }
            | Command::CloseWhistle { .. }
            | Command::DefineCatalogue { .. }
            | Command::PassDeadlines => None,
        };
        if let Some(case) = case {
            self.change(case, |written| written.hear(command, carried_out));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_was_refused_is_there_again_unless_another_was_begun() {
        let note = Command::NoteCase { case: CaseId(1), text: "已联系业主".into() };
        let mut written = Written::default();
        written.hear(&note, true);
        assert_eq!(written, Written::default(), "what was carried out is written no more");
        written.hear(&note, false);
        assert_eq!(written.note, "已联系业主");
        written.note = "另一条".into();
        written.hear(&note, false);
        assert_eq!(written.note, "另一条");
    }
}
