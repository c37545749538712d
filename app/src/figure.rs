//! A number that can defend itself: pressing it opens its definition (口径), what it is made of and its cases.

use domain::moment::UtcMillis;
use leptos::prelude::*;

use crate::language::pick;
use crate::words::{Language, say};

/// What stands behind a number at the moment it is asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    pub title: String,
    pub formula: String,
    pub source: String,
    /// Numerator, denominator, references: name and value.
    pub parts: Vec<(String, String)>,
    /// Single cases with their pages, where they are few.
    pub rows: Vec<(String, String)>,
    /// Where the cases are, when the desk can list them.
    pub cases: Option<String>,
    /// The screen's data stand at this time.
    pub as_of: Option<UtcMillis>,
}

impl Evidence {
    /// Name, formula and source of a definition of the domain; an unknown id leaves them empty.
    pub fn of(language: Language, id: &str) -> Self {
        let found = domain::definition::all().into_iter().find(|definition| definition.id == id);
        found.map_or_else(Self::default, |definition| Self {
            title: pick(language, &definition.name),
            formula: pick(language, &definition.formula),
            source: pick(language, &definition.source),
            ..Self::default()
        })
    }

    pub fn part(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parts.push((name.into(), value.into()));
        self
    }

    pub fn value(self, language: Language, value: impl Into<String>) -> Self {
        self.part(say!(language, common.value), value)
    }

    /// The desk's list with these filters.
    pub fn cases(mut self, filters: &str) -> Self {
        self.cases = Some(format!("/desk?{filters}"));
        self
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

/// A number as a button. `evidence` is collected when it is pressed.
#[component]
pub fn Figure(
    #[prop(into)] value: Signal<String>,
    evidence: impl Fn() -> Evidence + Send + Sync + 'static,
    #[prop(optional)] class: &'static str,
    /// Set small after the digits.
    #[prop(optional)]
    sign: &'static str,
) -> impl IntoView {
    let asked = use_asked();
    let hall = crate::hall::use_hall();
    let open = move |_| {
        let mut evidence = untrack(&evidence);
        evidence.as_of = Some(hall.present());
        asked.set(Some(evidence));
    };
    view! {
        <button type="button" class=format!("figure {class}") aria-haspopup="dialog" on:click=open>
            {value}
            {(!sign.is_empty()).then(|| view! { <small>{sign}</small> })}
        </button>
    }
}
