//! What a person works on cases with, at whichever seat: the open case with its clock, way and history, what is written for it,
//! and how commands are sent.
//!
//! What should not be here: which cases a seat lists, and which of them it may do what with (`desk`, `department`).

pub mod address;
pub mod bar;
pub mod clock;
pub mod draft;
pub mod due;
pub mod face;
pub mod file;
pub mod hand;
pub mod history;
pub mod outcome;
pub mod send;
pub mod line;
mod strip;
pub mod title;
pub mod way;

use domain::case::{Case, Step};
use domain::code::{CaseId, DepartmentCode};
use domain::command::Command;
use domain::role::{Role, acts_for};
use leptos::html;
use leptos::prelude::*;

use crate::hall::{Hall, use_hall};
use crate::language::{Speaks, use_language};
use crate::names::{self, use_names};
use crate::session::{Session, Signed, use_session};
use crate::world;
use file::CaseFile;
use send::Sending;

/// What the parts of a seat share.
#[derive(Clone, Copy)]
pub struct Work {
    pub file: CaseFile,
    pub sending: Sending,
    /// The row under the user's hand.
    pub selected: RwSignal<Option<CaseId>>,
    pub names: names::Called,
    pub speaks: Speaks,
    pub hall: Hall,
    /// The field of a note, which has a key.
    pub note: NodeRef<html::Input>,
    /// Keys without a modifier do something.
    pub letters: RwSignal<bool>,
    /// Whether this world takes commands: the past does not.
    pub handles: bool,
    signed: Signed,
}

impl Work {
    /// On the cases that the page's address opens.
    pub fn new(opened: Memo<Option<CaseId>>) -> Self {
        let sending = Sending::new();
        let file = CaseFile::new(opened, sending);
        let signed = use_session();
        file.drafts.keep_for(move || account(signed));
        Self {
            file,
            sending,
            selected: RwSignal::new(opened.get_untracked()),
            names: use_names(),
            speaks: use_language(),
            hall: use_hall(),
            note: NodeRef::new(),
            letters: hand::letters(),
            handles: world::kind().takes_commands(),
            signed,
        }
    }

    /// Tracked: the account's name.
    pub fn me(self) -> String {
        account(self.signed)
    }

    /// Tracked.
    pub fn roles(self) -> Vec<Role> {
        self.signed.with(|session| match session {
            Session::SignedIn(session) => session.roles.clone(),
            Session::Asking | Session::SignedOut => Vec::new(),
        })
    }

    /// Tracked: the one department the account acts for.
    pub fn own(self) -> Option<DepartmentCode> {
        self.signed.with(|session| match session {
            Session::SignedIn(session) => session.department.clone(),
            Session::Asking | Session::SignedOut => None,
        })
    }

    /// Tracked: whether the account may take a step.
    pub fn holds(self, step: Step) -> bool {
        self.may(&step.take(CaseId(0)))
    }

    /// Tracked: whether the account's roles and its department allow the command, as far as the command tells.
    pub fn may(self, command: &Command) -> bool {
        match (acts_for(&self.roles(), self.own().as_ref(), command), command) {
            _ if !self.handles => false,
            (Err(_), _) => false,
            (Ok(Some(own)), Command::RespondToWhistle { department, .. }) => own == *department,
            (Ok(_), _) => true,
        }
    }

    /// Tracked: what else the account may do with the open case in its stage.
    pub fn beside(self) -> Vec<Step> {
        let Some(case) = self.file.case().filter(Case::is_open) else { return Vec::new() };
        // What is asked of the case decides which of them fit; that its limit has run out is what the hall has said.
        let fits = |step: &Step| self.holds(*step) && case.unfit(*step, case.stage_since).is_none();
        Step::beside(case.stage).filter(fits).collect()
    }
}

/// Tracked: the name of whoever has signed in; empty of nobody.
fn account(signed: Signed) -> String {
    signed.with(|session| match session {
        Session::SignedIn(session) => session.name.clone(),
        Session::Asking | Session::SignedOut => String::new(),
    })
}

pub fn use_work() -> Work {
    expect_context::<Work>()
}
