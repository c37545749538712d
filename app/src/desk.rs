//! The dispatcher's desk: `/desk` lists cases, `/desk/case/{id}` opens one beside the list.
//!
//! What should be here: the page, what its parts share, ways to move. What should not: the parts themselves.

mod act;
mod address;
mod around;
mod calls;
mod camera;
mod clock;
mod draft;
mod due;
mod file;
mod filters;
mod help;
mod history;
mod keys;
mod list;
mod listing;
mod narrow;
mod outcome;
mod overview;
mod person;
mod rail;
mod row;
mod send;
mod sheet;
mod strip;
mod top;
mod way;
mod whistle;
mod window;

use domain::code::{CaseId, WhistleId};
use domain::command::Command;
use domain::role::{Role, acts_for};
use leptos::html;
use leptos::prelude::*;

use crate::breaking::Breaking;
use crate::hall::{Hall, use_hall};
use crate::language::{Speaks, use_language};
use crate::names;
use crate::once::{effect, memo};
use crate::screen::Screen;
use crate::session::{Session, Signed, use_session};
use crate::words::says;
use crate::world;
use address::Address;
use calls::Calls;
use file::File;
use filters::{Filters, Queue};
use listing::Listing;
use send::Sending;

/// A key that waits for its digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    Queue,
    Camera,
}

/// What the parts of the desk share.
#[derive(Clone, Copy)]
pub struct Desk {
    pub filters: Memo<Filters>,
    pub opened: Memo<Option<CaseId>>,
    /// The row under the user's hand.
    pub selected: RwSignal<Option<CaseId>>,
    /// The call under the user's hand, in the list of calls.
    pub call: RwSignal<Option<WhistleId>>,
    pub calls: Calls,
    /// The key that waits for its digit, and which turn of waiting it is.
    pub prefix: RwSignal<Option<(u32, Prefix)>>,
    /// Keys without a modifier do something.
    pub letters: RwSignal<bool>,
    pub help: RwSignal<bool>,
    pub listing: Listing,
    pub file: File,
    pub sending: Sending,
    pub names: names::Called,
    pub speaks: Speaks,
    hall: Hall,
    /// Fields that have a key: of a search, of a note.
    pub find: NodeRef<html::Input>,
    pub note: NodeRef<html::Input>,
    /// What the rows scroll in.
    pub rows: NodeRef<html::Div>,
    /// Whether this world takes commands: the past does not.
    pub handles: bool,
    signed: Signed,
    address: Address,
}

impl Desk {
    fn new() -> Self {
        let address = Address::follow();
        let filters = memo(move || {
            let query = address.query();
            Filters::read(|key| query.as_ref().and_then(|query| query.get(key)))
        });
        let opened = memo(move || address.case());
        let sending = Sending::new();
        let file = File::new(opened, sending);
        let signed = use_session();
        file.drafts.keep_for(move || account(signed));
        Self {
            filters,
            opened,
            selected: RwSignal::new(opened.get_untracked()),
            call: RwSignal::new(None),
            calls: Calls::new(filters, sending),
            prefix: RwSignal::new(None),
            letters: keys::letters(),
            help: RwSignal::new(false),
            listing: Listing::new(filters),
            file,
            sending,
            names: names::use_names(),
            speaks: use_language(),
            hall: use_hall(),
            find: NodeRef::new(),
            note: NodeRef::new(),
            rows: NodeRef::new(),
            handles: world::kind().takes_commands(),
            signed,
            address,
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

    /// Tracked: whether the account may take a step.
    pub fn holds(self, step: domain::case::Step) -> bool {
        self.may(&step.take(CaseId(0)))
    }

    /// Tracked: whether the account's roles and its department allow the command, as far as the command tells.
    pub fn may(self, command: &Command) -> bool {
        let own = self.signed.with(|session| match session {
            Session::SignedIn(session) => session.department.clone(),
            Session::Asking | Session::SignedOut => None,
        });
        match (acts_for(&self.roles(), own.as_ref(), command), command) {
            _ if !self.handles => false,
            (Err(_), _) => false,
            (Ok(Some(own)), Command::RespondToWhistle { department, .. }) => own == *department,
            (Ok(_), _) => true,
        }
    }

    /// The address of the list under other filters, or of a case over it.
    pub fn address_of(filters: &Filters, case: Option<CaseId>) -> String {
        let query = filters.query(|text| String::from(js_sys::encode_uri_component(text)));
        domain::route::desk(&world::base(), case, &query)
    }

    /// Tracked: the list is that of calls.
    pub fn lists_calls(self) -> bool {
        self.filters.with(Filters::lists_calls)
    }

    /// Reads the list anew, of cases or of calls.
    pub fn refresh(self) {
        match untrack(|| self.lists_calls()) {
            true => self.calls.refresh(),
            false => self.listing.refresh(),
        }
    }

    /// Lists what `filters` let through. What stood under the hand in another list is let go.
    pub fn list(self, filters: &Filters, replace: bool) {
        if !replace {
            self.selected.set(None);
        }
        let address = Self::address_of(filters, self.opened.get_untracked());
        self.address.go(&address, replace);
    }

    pub fn choose(self, queue: Queue) {
        let filters = Filters::of(queue, &untrack(|| self.me()));
        self.address.go(&Self::address_of(&filters, None), false);
        self.selected.set(None);
    }

    /// Opens a case beside the list, or closes it.
    pub fn open(self, case: Option<CaseId>, replace: bool) {
        let address = self.filters.with_untracked(|filters| Self::address_of(filters, case));
        if case.is_some() {
            self.selected.set(case);
        }
        self.sending.tidy();
        self.address.go(&address, replace);
    }
}

/// Tracked: the name of whoever has signed in; empty of nobody.
fn account(signed: Signed) -> String {
    signed.with(|session| match session {
        Session::SignedIn(session) => session.name.clone(),
        Session::Asking | Session::SignedOut => String::new(),
    })
}

pub fn use_desk() -> Desk {
    expect_context::<Desk>()
}

#[component]
pub fn DeskPage() -> impl IntoView {
    Screen::open().with_streets();
    let desk = Desk::new();
    provide_context(desk);
    first_queue(desk);
    keys::listen(desk);
    follow_size();
    let speaks = use_language();
    view! {
        <world::Band/>
        <Breaking/>
        <world::Gone/>
        <div class="desk" class:with-case=move || desk.opened.get().is_some()>
            <top::Top/>
            <main class="desk-main" aria-label=says!(speaks, desk.title)>
                <rail::Rail/>
                <list::List/>
                <sheet::Sheet/>
            </main>
            <top::Foot/>
            <help::Help/>
        </div>
    }
}

/// An address without filters leads to the queue of the account's power.
fn first_queue(desk: Desk) {
    effect(move || {
        let roles = desk.roles();
        if !roles.is_empty() && desk.filters.with(Filters::is_empty) {
            let stage = match roles.contains(&Role::Dispatcher) {
                true => domain::case::Stage::Dispatch,
                false => domain::case::Stage::Accept,
            };
            let filters = Filters::of(Queue::At(stage), &untrack(|| desk.me()));
            untrack(|| desk.list(&filters, true));
        }
    });
}

/// Lets the style sheet take the whole window while the desk is shown.
fn follow_size() {
    let set = |on: bool| {
        if let Some(root) = document().document_element() {
            // Without the class the page would only be taller than the window.
            let _ =
                if on { root.class_list().add_1("on-desk") } else { root.class_list().remove_1("on-desk") };
        }
    };
    set(true);
    on_cleanup(move || set(false));
}
