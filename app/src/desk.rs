//! The dispatcher's desk: `/desk` lists cases, `/desk/case/{id}` opens one beside the list.
//!
//! What should be here: the page, what its parts share, ways to move. What should not: the parts themselves.

mod act;
mod around;
mod calls;
mod camera;
mod file;
mod filters;
mod help;
mod keys;
mod list;
mod listing;
mod narrow;
mod overview;
mod person;
mod rail;
mod row;
mod sheet;
mod top;
mod whistle;
mod window;

use std::ops::Deref;

use domain::code::{CaseId, WhistleId};
use domain::role::Role;
use leptos::html;
use leptos::prelude::*;

use crate::breaking::Breaking;
use crate::language::use_language;
use crate::once::{effect, memo};
use crate::screen::Screen;
use crate::words::says;
use crate::work::Work;
use crate::work::address::Address;
use crate::world;
use calls::Calls;
use file::File;
use filters::{Filters, Queue};
use listing::Listing;

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
    /// The call under the user's hand, in the list of calls.
    pub call: RwSignal<Option<WhistleId>>,
    pub calls: Calls,
    /// The key that waits for its digit, and which turn of waiting it is.
    pub prefix: RwSignal<Option<(u32, Prefix)>>,
    pub help: RwSignal<bool>,
    pub listing: Listing,
    pub file: File,
    pub work: Work,
    /// The field of a search, which has a key.
    pub find: NodeRef<html::Input>,
    /// What the rows scroll in.
    pub rows: NodeRef<html::Div>,
    address: Address,
}

impl Deref for Desk {
    type Target = Work;

    fn deref(&self) -> &Work {
        &self.work
    }
}

impl Desk {
    fn new() -> Self {
        let address = Address::follow(domain::route::desk_case);
        let filters = memo(move || {
            let query = address.query();
            Filters::read(|key| query.as_ref().and_then(|query| query.get(key)))
        });
        let opened = memo(move || address.case());
        let work = Work::new(opened);
        Self {
            filters,
            opened,
            call: RwSignal::new(None),
            calls: Calls::new(filters, work.sending),
            prefix: RwSignal::new(None),
            help: RwSignal::new(false),
            listing: Listing::new(filters),
            file: File::new(work.file),
            work,
            find: NodeRef::new(),
            rows: NodeRef::new(),
            address,
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

pub fn use_desk() -> Desk {
    expect_context::<Desk>()
}

#[component]
pub fn DeskPage() -> impl IntoView {
    Screen::open().with_streets();
    let desk = Desk::new();
    provide_context(desk);
    provide_context(desk.work);
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
