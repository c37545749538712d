//! The case that is open: its file from the server, read again when the feed or an own command has changed the case, and what is
//! written for it.
//!
//! What should not be here: what lies around the case (`desk::file`).

use domain::answer::CaseAnswer;
use domain::case::Case;
use domain::code::CaseId;
use domain::wire::CaseLine;
use leptos::prelude::*;

use super::draft::Drafts;
use super::send::Sending;
use crate::api::ApiError;
use crate::ask::Asker;
use crate::board::{Board, use_board};
use crate::once::memo;

#[derive(Clone, Copy)]
pub struct CaseFile {
    pub opened: Memo<Option<CaseId>>,
    answer: RwSignal<Option<CaseAnswer>>,
    pub problem: RwSignal<Option<ApiError>>,
    /// What is written for this case and others.
    pub drafts: Drafts,
    board: Board,
    /// For the file, and for what lies further back in it.
    asks: Asker,
    asks_older: Asker,
}

impl CaseFile {
    pub fn new(opened: Memo<Option<CaseId>>, sending: Sending) -> Self {
        let file = Self {
            opened,
            answer: RwSignal::new(None),
            problem: RwSignal::new(None),
            drafts: Drafts::new(opened),
            board: use_board(),
            asks: Asker::new(),
            asks_older: Asker::new(),
        };
        Effect::new(move |before: Option<Option<CaseId>>| {
            let id = opened.get();
            if before != Some(id) {
                untrack(|| file.clear());
                if let Some(id) = id {
                    file.load(id);
                }
            }
            id
        });
        file.follow(sending);
        file
    }

    /// Reads the file again when the feed or an own command has changed the case.
    fn follow(self, sending: Sending) {
        let version = memo(move || {
            let line = self.opened.get().and_then(|id| self.board.case(id));
            line.map(|line| line.version)
        });
        sending.on_answer(move |(command, carried_out)| self.drafts.hear(&command, carried_out));
        Effect::new(move |before: Option<(Option<u64>, u32)>| {
            let now = (version.get(), sending.done.get());
            let id = self.opened.get_untracked();
            let newer =
                self.answer.with_untracked(|answer| answer.as_ref().map(|answer| answer.case.version))
                    != now.0;
            if let (Some(before), Some(id)) = (before, id)
                && (before.1 != now.1 || (before.0 != now.0 && newer))
            {
                self.load(id);
            }
            now
        });
    }

    fn clear(self) {
        self.asks.forget();
        self.asks_older.forget();
        self.answer.set(None);
        self.problem.set(None);
    }

    fn load(self, id: CaseId) {
        self.asks.ask(format!("/api/v1/cases/{id}"), move |answer| self.take(answer));
    }

    fn take(self, answer: Result<CaseAnswer, ApiError>) {
        match answer {
            Ok(answer) => {
                self.problem.set(None);
                self.answer.update(|held| match held {
                    Some(held) => held.renew(answer),
                    None => *held = Some(answer),
                });
            }
            Err(error) => {
                // It lies where this account does not see, since areas lie elsewhere or by another's step: what was read of
                // it goes, and whatever stands beside it.
                if matches!(error, ApiError::Refused { status: 404, .. }) {
                    self.clear();
                }
                self.problem.set(Some(error));
            }
        }
    }

    /// Reads on into the past of the case.
    pub fn load_older(self) {
        let before = self.answer.with_untracked(|held| held.as_ref().map(|held| (held.case.id, held.older)));
        let Some((id, Some(before))) = before else { return };
        let take = move |page: Result<CaseAnswer, ApiError>| match page {
            Ok(page) => {
                self.problem.set(None);
                self.answer.update(|held| {
                    if let Some(held) = held.as_mut().filter(|held| held.older == Some(before)) {
                        held.add_older(page);
                    }
                });
            }
            Err(error) => self.problem.set(Some(error)),
        };
        self.asks_older.ask(format!("/api/v1/cases/{id}?before={before}"), take);
    }

    /// Tracked: reads the file, or gives nothing while there is none.
    pub fn with<T: Default>(self, read: impl FnOnce(&CaseAnswer) -> T) -> T {
        self.answer.with(|answer| answer.as_ref().map_or_else(T::default, read))
    }

    /// Tracked.
    pub fn case(self) -> Option<Case> {
        self.with(|answer| Some(answer.case.clone()))
    }

    /// Tracked.
    pub fn line(self) -> Option<CaseLine> {
        self.with(|answer| Some(CaseLine::from(&answer.case)))
    }

    /// Tracked.
    pub fn is_there(self) -> bool {
        self.answer.with(Option::is_some)
    }
}
