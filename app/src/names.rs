//! The names behind codes, and the policy's figures: loaded once, again when a code is looked up in vain or the hall goes by
//! another policy.
//!
//! What should not be here: when to ask (`questions`).

mod questions;
mod short;

use std::fmt::Display;
use std::sync::Mutex;

use domain::answer::{CatalogueAnswer, PolicyFigures};
use domain::case::Report;
use domain::catalogue::{Area, AreaLevel, Condition, Name};
use domain::clock::Limit;
use domain::code::{AreaCode, ClassCode, DepartmentCode, SourceCode};
use domain::feed::Held;
use domain::wire::EventLine;
use leptos::prelude::*;

use crate::api::ApiError;
use crate::ask::Asker;
use crate::board::{Board, Part};
use crate::hall::monotonic_ms;
use crate::language::pick;
use crate::once::memo;
use crate::order::Sorted;
use crate::words::Language;
use questions::Questions;

/// Another policy each heartbeat tells of; this event alone says that codes were defined.
const DEFINED: &str = "catalogue_defined";

/// What the catalogue says, ready to look up. Every look-up by a code notes one that is not in it, so that no place on a screen
/// has to think of it.
pub struct Names {
    pub centre: Name,
    pub policy: PolicyFigures,
    /// Version of the policy all of this is of.
    version: u64,
    areas: Sorted<AreaCode, Area>,
    order: Vec<AreaCode>,
    classes: Sorted<ClassCode, Name>,
    departments: Sorted<DepartmentCode, Name>,
    sources: Sorted<SourceCode, Name>,
    short_classes: Sorted<ClassCode, Name>,
    short_departments: Sorted<DepartmentCode, Name>,
    disposal_limits: Sorted<ClassCode, Limit>,
    conditions: Vec<Condition>,
    /// Codes that were looked up in vain, until they are taken.
    missed: Mutex<Vec<String>>,
}

impl From<CatalogueAnswer> for Names {
    fn from(answer: CatalogueAnswer) -> Self {
        Self {
            centre: answer.centre,
            policy: answer.policy,
            version: answer.version,
            order: answer.areas.iter().map(|area| area.code.clone()).collect(),
            areas: Sorted::of(answer.areas.into_iter().map(|area| (area.code.clone(), area))),
            disposal_limits: Sorted::of(
                answer.classes.iter().filter_map(|class| Some((class.code.clone(), class.disposal_limit?))),
            ),
            short_classes: Sorted::of(answer.classes.iter().filter_map(|class| {
                Some((class.code.clone(), short::whole(&class.name, class.short.as_ref()?)))
            })),
            short_departments: Sorted::of(answer.departments.iter().filter_map(|unit| {
                Some((unit.code.clone(), short::whole(&unit.name, unit.short.as_ref()?)))
            })),
            conditions: answer.conditions,
            missed: Mutex::default(),
            sources: Sorted::of(answer.sources.into_iter().map(|source| (source.code, source.name))),
            classes: Sorted::of(answer.classes.into_iter().map(|class| (class.code, class.name))),
            departments: Sorted::of(answer.departments.into_iter().map(|unit| (unit.code, unit.name))),
        }
    }
}

impl Names {
    /// Areas of one level in the order of the bulletin.
    pub fn at_level(&self, level: AreaLevel) -> Vec<&Area> {
        let areas = self.order.iter().filter_map(|code| self.areas.get(code));
        areas.filter(|area| area.level == level).collect()
    }

    pub fn class(&self, language: Language, code: &ClassCode) -> String {
        self.look_up(&self.classes, code).map_or_else(|| code.to_string(), |name| pick(language, name))
    }

    pub fn department(&self, language: Language, code: &DepartmentCode) -> String {
        self.look_up(&self.departments, code).map_or_else(|| code.to_string(), |name| pick(language, name))
    }

    pub fn source(&self, language: Language, code: &SourceCode) -> String {
        self.look_up(&self.sources, code).map_or_else(|| code.to_string(), |name| pick(language, name))
    }

    /// What stands under a code; one that is not there is noted.
    fn look_up<'a, K: Ord + Display, V>(&self, held: &'a Sorted<K, V>, code: &K) -> Option<&'a V> {
        let found = held.get(code);
        if found.is_none() {
            self.miss(code);
        }
        found
    }

    #[inline(never)]
    fn miss(&self, code: &dyn Display) {
        // A page has one thread; a lock that a panic has left takes no more.
        if let Ok(mut missed) = self.missed.lock() {
            missed.push(code.to_string());
        }
    }

    /// The codes that were looked up in vain since the last time.
    fn take_missed(&self) -> Vec<String> {
        self.missed.lock().map(|mut missed| std::mem::take(&mut *missed)).unwrap_or_default()
    }

    /// The words of a filing condition: the name of its code, or what was written.
    pub fn condition(&self, language: Language, class: &ClassCode, text: &str) -> String {
        self.known_condition(class, text).map_or_else(|| text.to_owned(), |known| pick(language, &known.name))
    }

    fn known_condition(&self, class: &ClassCode, text: &str) -> Option<&Condition> {
        self.conditions.iter().find(|known| known.class == *class && known.code.as_str() == text)
    }

    /// The disposal limit of the report's condition.
    pub fn condition_limit(&self, report: &Report) -> Option<Limit> {
        let known = self.known_condition(&report.class, report.condition.as_deref()?)?;
        known.milestones.last().map(|whole| whole.limit)
    }

    /// The class's own disposal limit, where it has one.
    pub fn class_limit(&self, class: &ClassCode) -> Option<Limit> {
        self.disposal_limits.get(class).copied()
    }

    /// Codes with their names, in the order of the codes.
    pub fn all_departments(&self, language: Language) -> Vec<(DepartmentCode, String)> {
        self.departments.iter().map(|(code, name)| (code.clone(), pick(language, name))).collect()
    }

    pub fn all_classes(&self, language: Language) -> Vec<(ClassCode, String)> {
        self.classes.iter().map(|(code, name)| (code.clone(), pick(language, name))).collect()
    }

    pub fn all_sources(&self, language: Language) -> Vec<(SourceCode, String)> {
        self.sources.iter().map(|(code, name)| (code.clone(), pick(language, name))).collect()
    }

    pub fn area(&self, language: Language, code: &AreaCode) -> String {
        self.look_up(&self.areas, code).map_or_else(|| code.to_string(), |area| pick(language, &area.name))
    }

    /// District and street of a path (finest first), as `西山区 福海街道`.
    pub fn area_words(&self, language: Language, path: &[AreaCode]) -> String {
        let known = path.iter().rev().filter_map(|code| self.look_up(&self.areas, code));
        let shown = known.filter(|area| matches!(area.level, AreaLevel::District | AreaLevel::Street));
        let names: Vec<String> = shown.map(|area| pick(language, &area.name)).collect();
        match names.is_empty() {
            true => path.first().map_or_else(String::new, |code| self.area(language, code)),
            false => names.join(" "),
        }
    }

    /// The district a path lies in.
    pub fn district<'a>(&self, path: &'a [AreaCode]) -> Option<&'a AreaCode> {
        let is_district = |area: &Area| area.level == AreaLevel::District;
        path.iter().find(|code| self.look_up(&self.areas, code).is_some_and(is_district))
    }
}

/// The names, once they have arrived.
#[derive(Clone, Copy)]
pub struct Called {
    names: RwSignal<Option<Names>>,
    questions: StoredValue<Questions>,
    asker: Asker,
}

impl Called {
    /// Tracked. Calls `words` with the names, or gives nothing while they are on their way. Where a code has none the catalogue is
    /// asked for again: someone has defined new ones, and a screen that sees a part has heard of no event that says so.
    pub fn with<T: Default>(self, words: impl FnOnce(&Names) -> T) -> T {
        let said = self.names.with(|names| names.as_ref().map_or_else(T::default, words));
        self.ask_for_missed();
        said
    }

    /// Once in the programme, not in each of the many places that say a name.
    #[inline(never)]
    fn ask_for_missed(self) {
        let missed = self.names.with_untracked(|names| names.as_ref().map(Names::take_missed));
        let missed = missed.unwrap_or_default();
        if !missed.is_empty() {
            self.questions.update_value(|questions| questions.miss(missed));
            self.name_the_nameless();
        }
    }

    /// Tracked.
    pub fn loaded(self) -> bool {
        self.names.with(Option::is_some)
    }

    /// At once, or with a later heartbeat where the last question is too young.
    fn name_the_nameless(self) {
        if self.questions.with_value(|questions| questions.is_due(monotonic_ms())) {
            self.load();
        }
    }

    /// Asks where there is no answer, or one of another policy than the hall goes by now, and none is on its way: a screen
    /// that was away, or sees a part, has heard of no adoption.
    pub fn keep_up(self, board: Board) {
        let held = self.names.with_untracked(|names| names.as_ref().map(|names| names.version));
        if board.follows(|follower| follower.wants_names(held)) {
            self.load_soon();
        }
        self.name_the_nameless();
    }

    fn load_soon(self) {
        if self.questions.with_value(|questions| questions.may_follow(monotonic_ms())) {
            self.load();
        }
    }

    /// Asks for the catalogue again once the feed tells of other codes: lamps and countdowns go by it.
    pub fn follow(self, board: Board) {
        let newest = memo(move || {
            let change = |held: &Held| {
                let is_change = |line: &&EventLine| line.name == DEFINED;
                held.events.iter().rev().find(is_change).map(|line| line.seq)
            };
            board.knows(Part::Events).then(|| board.with(Part::Events, change))
        });
        Effect::new(move |before: Option<Option<Option<u64>>>| {
            let newest = newest.get();
            // What the first lines tell of is in the catalogue already.
            if before.flatten().is_some_and(|before| Some(before) != newest) {
                self.load();
            }
            newest
        });
    }

    pub fn load(self) {
        self.questions.update_value(|questions| questions.ask(monotonic_ms()));
        let take = move |answer: Result<CatalogueAnswer, ApiError>| {
            self.questions.try_update_value(|questions| questions.hear(answer.is_ok()));
            match answer {
                Ok(answer) => {
                    let names = Names::from(answer);
                    show_offset(names.policy.utc_offset_minutes);
                    drop(self.names.try_set(Some(names)));
                }
                Err(error) => leptos::logging::warn!("catalogue not loaded: {error}"),
            }
        };
        self.asker.ask("/api/v1/catalogue".to_owned(), take);
    }
}

/// For the page's supervisor, which says times where the programme no longer can.
fn show_offset(offset: domain::moment::UtcOffset) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-offset", &offset.0.to_string());
    }
}

/// One for the page it is called in; loads at once.
pub fn provide() -> Called {
    let called = Called {
        names: RwSignal::new(None),
        questions: StoredValue::new(Questions::default()),
        asker: Asker::new(),
    };
    called.load();
    provide_context(called);
    called
}

pub fn use_names() -> Called {
    expect_context::<Called>()
}

#[cfg(test)]
mod tests {
    use domain::clock::{Limit, LimitKind, WorkCalendar};
    use domain::moment::UtcOffset;

    use super::*;

    /// Names of one class, one area and one department.
    fn names() -> Names {
        let name = || Name { zh: "名".to_owned(), en: String::new() };
        let limit = Limit::new(4, LimitKind::WORK_HOUR);
        let area: AreaCode = "530102".parse().unwrap();
        let known = Area {
            code: area.clone(),
            level: AreaLevel::District,
            parent: None,
            name: name(),
            short: None,
            retired: false,
        };
        Names {
            centre: name(),
            policy: PolicyFigures {
                stated_source: String::new(),
                utc_offset_minutes: UtcOffset(480),
                dispatch_limit: limit,
                disposal_limit: limit,
                whistle_response_minutes: 30,
                powers_together: None,
                forecast_minutes: 30,
                lamp_yellow_percent: 80,
                position_stale_seconds: 120,
                bounds: None,
                calendar: WorkCalendar::default(),
            },
            version: 0,
            order: vec![area.clone()],
            areas: Sorted::of([(area, known)]),
            classes: Sorted::of([("E01-10".parse().unwrap(), name())]),
            departments: Sorted::of([("shuiwu".parse().unwrap(), name())]),
            sources: Sorted::of([("hotline".parse().unwrap(), name())]),
            short_classes: Sorted::of([]),
            short_departments: Sorted::of([]),
            disposal_limits: Sorted::of([]),
            conditions: Vec::new(),
            missed: Mutex::default(),
        }
    }

    /// What looks a code up, a code it knows, and one it does not.
    type LookUp<'a> = (&'a dyn Fn(&str) -> String, &'a str, &'a str);

    /// Whatever says a code's name notes where there is none, and the code stands for itself.
    #[test]
    fn every_look_up_notes_a_code_that_nobody_had_defined() {
        let names = names();
        let class = |code: &str| names.class(Language::Zh, &code.parse().unwrap());
        let department = |code: &str| names.department(Language::Zh, &code.parse().unwrap());
        let source = |code: &str| names.source(Language::Zh, &code.parse().unwrap());
        let area = |code: &str| names.area(Language::Zh, &code.parse().unwrap());
        let brief = |code: &str| names.area_brief(Language::En, &[code.parse().unwrap()]);
        let district = |code: &str| {
            let path = [code.parse().unwrap()];
            names.district(&path).map_or_else(|| code.to_owned(), |_| "名".to_owned())
        };
        let look_ups: [LookUp<'_>; 6] = [
            (&class, "E01-10", "E09-99"),
            (&department, "shuiwu", "yuanlin"),
            (&source, "hotline", "patrol"),
            (&area, "530102", "530199"),
            (&brief, "530102", "530199"),
            (&district, "530102", "530199"),
        ];
        for (look_up, known, unknown) in look_ups {
            assert_eq!(look_up(known), "名");
            assert_eq!(names.take_missed(), [""; 0], "{known} is known");
            assert_eq!(look_up(unknown), unknown);
            assert!(names.take_missed().iter().any(|missed| missed == unknown), "{unknown} is not noted");
        }
    }
}
