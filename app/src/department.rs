//! The seat of an answering department (责任单位席): `/department` lists what it is to do, `/department/case/{id}` opens one beside
//! the list, on a phone over it.
//!
//! What should be here: the page, what its parts share, ways to move. What should not: the parts themselves; what every seat has
//! of a case (`work`).

mod bar;
mod calls;
mod keys;
mod list;
mod queue;
mod sheet;

use std::ops::Deref;

use domain::code::CaseId;
use domain::route;
use leptos::prelude::*;

use crate::breaking::Breaking;
use crate::language::use_language;
use crate::once::memo;
use crate::screen::Screen;
use crate::words::says;
use crate::work::Work;
use crate::work::address::Address;
use crate::world;
use queue::Queue;

/// What the parts of the seat share.
#[derive(Clone, Copy)]
pub struct Seat {
    pub work: Work,
    pub queue: Queue,
    pub opened: Memo<Option<CaseId>>,
    address: Address,
}

impl Deref for Seat {
    type Target = Work;

    fn deref(&self) -> &Work {
        &self.work
    }
}

impl Seat {
    fn new() -> Self {
        let address = Address::follow(route::department_case);
        let opened = memo(move || address.case());
        let work = Work::new(opened);
        Self { work, queue: Queue::new(work), opened, address }
    }

    /// Opens a case beside the list, or closes it.
    pub fn open(self, case: Option<CaseId>, replace: bool) {
        if case.is_some() {
            self.selected.set(case);
        }
        self.sending.tidy();
        self.address.go(&route::department(&world::base(), case), replace);
    }
}

pub fn use_seat() -> Seat {
    expect_context::<Seat>()
}

#[component]
pub fn DepartmentPage() -> impl IntoView {
    Screen::open();
    let seat = Seat::new();
    provide_context(seat);
    provide_context(seat.work);
    keys::listen(seat);
    // Lets the style sheet take the whole window.
    if let Some(root) = document().document_element() {
        // Without the class the page would only be set in other sizes.
        let _ = root.class_list().add_1("on-seat");
    }
    let speaks = use_language();
    view! {
        <world::Band/>
        <Breaking/>
        <world::Gone/>
        <div class="seat" class:with-case=move || seat.opened.get().is_some()>
            <bar::Top/>
            <main class="seat-main" aria-label=says!(speaks, department.title)>
                <list::List/>
                <sheet::Sheet/>
            </main>
            <bar::Foot/>
        </div>
    }
}
