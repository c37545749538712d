//! What is to happen, as it is being written: a case or a whistle call with the few fields an exercise needs.

use domain::case::{Priority, Report};
use domain::catalogue::AreaLevel;
use domain::drill::Happening;
use domain::whistle::{WhistleCall, WhistleLevel};
use leptos::prelude::*;

use crate::language::use_language;
use crate::names::use_names;
use crate::once::{CollectRows, anew, effect, memo};
use crate::text;
use crate::words::{Language, say};

/// Fields of one thing that is to happen; texts as they were typed or chosen.
#[derive(Clone, Copy)]
pub struct Written {
    is_whistle: RwSignal<bool>,
    pub minutes: RwSignal<String>,
    area: RwSignal<String>,
    /// Of a case.
    class: RwSignal<String>,
    source: RwSignal<String>,
    priority: RwSignal<Priority>,
    /// Of a call.
    level: RwSignal<WhistleLevel>,
    called: RwSignal<String>,
    /// Where a case is, or what a call is for.
    words: RwSignal<String>,
}

impl Written {
    pub fn new() -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            is_whistle: RwSignal::new(false),
            minutes: RwSignal::new("5".to_owned()),
            area: text(),
            class: text(),
            source: text(),
            priority: RwSignal::new(Priority::Second),
            level: RwSignal::new(WhistleLevel::Street),
            called: text(),
            words: text(),
        }
    }

    /// What would happen; none while a code is not chosen.
    pub fn happening(self) -> Option<Happening> {
        let words = self.words.get_untracked().trim().to_owned();
        let area = self.area.get_untracked().parse().ok()?;
        if self.is_whistle.get_untracked() {
            let called = vec![self.called.get_untracked().parse().ok()?];
            let level = self.level.get_untracked();
            return Some(Happening::Whistle(WhistleCall { level, area, title: words, case: None, called }));
        }
        Some(Happening::Case(Report {
            source: self.source.get_untracked().parse().ok()?,
            class: self.class.get_untracked().parse().ok()?,
            area,
            condition: None,
            address: words,
            description: String::new(),
            place: None,
            priority: self.priority.get_untracked(),
            base_count: 1,
            reporter: None,
            external: None,
        }))
    }

    /// When, in seconds after the start; none where it is no number of minutes.
    pub fn after_s(self) -> Option<u32> {
        let minutes: f64 = self.minutes.get_untracked().trim().parse().ok()?;
        (0.0..=1_440.0).contains(&minutes).then_some((minutes * 60.0).round() as u32)
    }
}

const PRIORITIES: [Priority; 4] = [Priority::First, Priority::Second, Priority::Third, Priority::Ordinary];

fn priority_words(language: Language, priority: Priority) -> String {
    match priority {
        Priority::First => say!(language, drill.first),
        Priority::Second => say!(language, drill.second),
        Priority::Third => say!(language, drill.third),
        Priority::Ordinary => say!(language, drill.ordinary),
    }
}

/// A field that chooses a code by its name; the first stands until another is chosen.
#[component]
fn Choice(
    label: fn(Language) -> String,
    chosen: RwSignal<String>,
    codes: Memo<Vec<(String, String)>>,
) -> impl IntoView {
    let speaks = use_language();
    effect(move || {
        let first = codes.with(|codes| codes.first().map(|(code, _)| code.clone()));
        if chosen.with_untracked(String::is_empty)
            && let Some(first) = first
        {
            chosen.set(first);
        }
    });
    let options = move || {
        let option = |(code, name): (String, String)| {
            let (own, value) = (code.clone(), code);
            view! { <option value=value selected=move || chosen.with(|chosen| *chosen == own)>{name}</option> }
        };
        codes.get().into_iter().map(option).collect_rows()
    };
    view! {
        <label>{anew(move || label(speaks.get()))}<select on:change=move |event| chosen.set(event_target_value(&event))>{anew(options)}</select></label>
    }
}

/// The fields. `timed`: with the minutes after the start.
#[component]
pub fn Happens(written: Written, timed: bool) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let Written { is_whistle, minutes, area, class, source, priority, level, called, words } = written;
    let codes = move |read: fn(&crate::names::Names, Language) -> Vec<(String, String)>| {
        memo(move || names.with(|names| read(names, speaks.get())))
    };
    let areas = codes(|names, language| {
        let named =
            [AreaLevel::District, AreaLevel::Street].into_iter().flat_map(|level| names.at_level(level));
        named.map(|area| (area.code.to_string(), crate::language::pick(language, &area.name))).collect()
    });
    let classes = codes(|names, language| named(names.all_classes(language)));
    let sources = codes(|names, language| named(names.all_sources(language)));
    let departments = codes(|names, language| named(names.all_departments(language)));
    let kinds = move || {
        let kind = |whistle: bool, label: fn(Language) -> String| {
            view! { <label class="kind"><input type="radio" prop:checked=move || is_whistle.get() == whistle on:change=move |_| is_whistle.set(whistle)/>{anew(move || label(speaks.get()))}</label> }
        };
        view! { {kind(false, crate::words::drill::case)}{kind(true, crate::words::drill::whistle)} }
    };
    let of_case = move || {
        let options = move || {
            PRIORITIES
                .map(|one| view! { <option value=format!("{one:?}") selected=move || priority.get() == one>{priority_words(speaks.get(), one)}</option> })
                .collect_rows()
        };
        let choose = move |event| {
            let value = event_target_value(&event);
            PRIORITIES
                .into_iter()
                .filter(|one| format!("{one:?}") == value)
                .for_each(|one| priority.set(one));
        };
        view! {
            <Choice label=crate::words::drill::class chosen=class codes=classes/>
            <Choice label=crate::words::drill::source chosen=source codes=sources/>
            <label>{anew(move || say!(speaks.get(), drill.level))}<select on:change=choose>{anew(options)}</select></label>
        }
    };
    let of_call = move || {
        let options = move || {
            WhistleLevel::ALL
                .map(|one| view! { <option value=one.key() selected=move || level.get() == one>{text::level_name(speaks.get(), one)}</option> })
                .collect_rows()
        };
        let choose = move |event| {
            let value = event_target_value(&event);
            WhistleLevel::ALL.into_iter().filter(|one| one.key() == value).for_each(|one| level.set(one));
        };
        view! {
            <Choice label=crate::words::drill::called chosen=called codes=departments/>
            <label>{anew(move || say!(speaks.get(), drill.level))}<select on:change=choose>{anew(options)}</select></label>
        }
    };
    let label = move || {
        if is_whistle.get() {
            say!(speaks.get(), drill.whistle_title)
        } else {
            say!(speaks.get(), drill.address)
        }
    };
    view! {
        <fieldset class="happens">
            <legend>{anew(move || say!(speaks.get(), drill.what))}</legend>
            {anew(kinds)}
            {timed.then(|| view! { <label class="minutes">{anew(move || say!(speaks.get(), drill.after))}<input type="number" min="0" max="1440" step="any" required prop:value=minutes on:input=move |event| minutes.set(event_target_value(&event))/></label> })}
            <Choice label=crate::words::drill::area chosen=area codes=areas/>
            {move || if is_whistle.get() { of_call().into_any() } else { of_case().into_any() }}
            <label class="words">{label}<input type="text" maxlength="300" required autocomplete="off" prop:value=words on:input=move |event| words.set(event_target_value(&event))/></label>
        </fieldset>
    }
}

fn named<C: std::fmt::Display>(codes: Vec<(C, String)>) -> Vec<(String, String)> {
    codes.into_iter().map(|(code, name)| (code.to_string(), name)).collect()
}
