//! A number that can defend itself: pressing it opens its definition (口径), what it is made of and its cases.
//!
//! What should be here: the evidence behind a number and the elements that open it. What should not: how it is shown
//! (`definition_card`), what a number means (`domain::definition`).

use std::sync::Arc;

use domain::clock::Limit;
use domain::definition::{self, Definition};
use domain::moment::{UtcMillis, UtcOffset};
use leptos::prelude::*;

use crate::hall::{Hall, use_hall};
use crate::language::pick;
use crate::live::{Health, Link};
use crate::names::{Called, Names, use_names};
use crate::text;
use crate::words::{Language, say};

/// Something a number is made of, and where the cases of this part are.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub name: String,
    pub value: String,
    pub href: Option<String>,
}

/// What stands behind a number at the moment it is asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    pub title: String,
    pub formula: String,
    pub source: String,
    /// The policy's figures that the formula uses.
    pub in_force: String,
    /// Numerator, denominator, references.
    pub parts: Vec<Part>,
    /// Single cases with their pages, where they are few.
    pub rows: Vec<(String, String)>,
    /// Where the cases are, when the desk can list them.
    pub cases: Option<String>,
    /// Why the list may count otherwise than the number; otherwise it only may have moved meanwhile.
    pub note: String,
    /// The screen's data stand at this time, told in this offset from UTC.
    pub as_of: Option<(UtcMillis, UtcOffset)>,
}

impl Evidence {
    /// Name, formula, source and figures in force of a definition of the domain; an unknown id leaves them empty.
    pub fn of(language: Language, names: Called, id: &str) -> Self {
        names.with(|names| Self::under(language, names, id))
    }

    fn under(language: Language, names: &Names, id: &str) -> Self {
        let known = definition::one(id, &names.policy);
        known.map_or_else(Self::default, |definition| Self::saying(language, &definition))
    }

    fn saying(language: Language, definition: &Definition) -> Self {
        let figures = definition.in_force.as_ref();
        Self {
            title: pick(language, &definition.name),
            formula: pick(language, &definition.formula),
            source: pick(language, &definition.source),
            in_force: figures.map_or_else(String::new, |figures| pick(language, figures)),
            ..Self::default()
        }
    }

    /// A running clock: what is left of its limit, or how far it is beyond.
    pub fn clock(
        language: Language,
        names: &Names,
        started: UtcMillis,
        due: UtcMillis,
        limit: Option<Limit>,
        now: UtcMillis,
    ) -> Self {
        let (policy, offset) = (&names.policy, names.policy.utc_offset_minutes);
        let clock = text::countdown(due, limit, now, &policy.calendar, offset);
        let days = clock
            .days
            .map(|days| format!("{days} {} ", text::unit_name(language, clock.unit)))
            .unwrap_or_default();
        let unit = if clock.days.is_none() { text::unit_name(language, clock.unit) } else { "" };
        let note = text::phase_note(language, clock.late);
        let share = policy.calendar.used_share(started, due, limit, now, offset) * 100.0;
        // What it stood still for is not used: the share begins where it would have begun without.
        let from = policy.calendar.counted_from(started, due, limit, offset);
        let moment = |at| text::moment(language, at, now, offset);
        let evidence = Self {
            source: policy.stated_source.clone(),
            ..Self::saying(language, &definition::clock(policy))
        }
        .value(language, format!("{note} {days}{} {unit}", clock.digits))
        .part(say!(language, desk.started), moment(started));
        let evidence = match from == started {
            true => evidence,
            false => evidence.part(say!(language, desk.counted_from), moment(from)),
        }
        .part(say!(language, desk.due), moment(due))
        .part(say!(language, desk.used_share), format!("{} %", crate::text::fixed(share, 0)));
        match limit {
            Some(limit) => evidence.part(say!(language, desk.unit), limit.words(language)),
            None => evidence,
        }
    }

    /// Says of a due time beyond the days the calendar knows that it may still move (暂定).
    pub fn provisional(self, language: Language, provisional: bool) -> Self {
        match provisional {
            true => self.part(say!(language, desk.provisional_due), say!(language, desk.provisional)),
            false => self,
        }
    }

    /// The time for which all of it holds.
    pub fn stood(mut self, at: UtcMillis, names: Called) -> Self {
        self.as_of = Some((at, names.with(|names| names.policy.utc_offset_minutes)));
        self
    }

    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    pub fn part(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parts.push(Part { name: name.into(), value: value.into(), href: None });
        self
    }

    /// A part whose cases are the desk's list with these filters.
    pub fn part_of(mut self, name: impl Into<String>, value: impl Into<String>, filters: &str) -> Self {
        self.parts.push(Part {
            name: name.into(),
            value: value.into(),
            href: Some(crate::world::list(filters)),
        });
        self
    }

    pub fn value(self, language: Language, value: impl Into<String>) -> Self {
        self.part(say!(language, common.value), value)
    }

    /// The desk's list with these filters.
    pub fn cases(mut self, filters: &str) -> Self {
        self.cases = Some(crate::world::list(filters));
        self
    }

    pub fn note(mut self, words: impl Into<String>) -> Self {
        self.note = words.into();
        self
    }
}

impl Health {
    /// The time for which what the screen shows holds: without a connection that of the server's last word.
    pub fn stands(self, hall: Hall) -> UtcMillis {
        match self.link.get_untracked() {
            Link::Lost { since } | Link::Gone { since } => since,
            Link::Connecting | Link::Absent(_) | Link::Live | Link::SignedOut => hall.present(),
        }
    }
}

/// The number whose card is open.
pub type Asked = RwSignal<Option<Evidence>>;

pub fn provide() {
    provide_context::<Asked>(RwSignal::new(None));
}

pub fn use_asked() -> Asked {
    expect_context::<Asked>()
}

/// Collects the evidence when it is asked for. One type for all numbers, so that they share their code.
#[derive(Clone)]
pub struct Ask(Arc<dyn Fn() -> Evidence + Send + Sync>);

impl<F: Fn() -> Evidence + Send + Sync + 'static> From<F> for Ask {
    fn from(collect: F) -> Self {
        Self(Arc::new(collect))
    }
}

/// Anything that shows numbers as a button that opens their evidence.
#[component]
pub fn Opens(
    #[prop(into)] evidence: Ask,
    #[prop(optional)] class: &'static str,
    /// What it is, where its content is drawn.
    #[prop(optional, into)]
    label: MaybeProp<String>,
    children: Children,
) -> impl IntoView {
    let (asked, hall, names) = (use_asked(), use_hall(), use_names());
    let health = expect_context::<Health>();
    let open = move |_| {
        asked.set(Some(untrack(|| (evidence.0)().stood(health.stands(hall), names))));
    };
    view! { <button type="button" class=format!("figure {class}") aria-haspopup="dialog" aria-label=move || label.get() on:click=open>{children()}</button> }
}

/// A number as a button.
#[component]
pub fn Figure(
    #[prop(into)] value: Signal<String>,
    #[prop(into)] evidence: Ask,
    #[prop(optional)] class: &'static str,
    /// Set small after the digits.
    #[prop(optional)]
    sign: &'static str,
) -> impl IntoView {
    let sign = (!sign.is_empty()).then(|| view! { <small>{sign}</small> });
    view! { <Opens evidence class>{value}{sign}</Opens> }
}
