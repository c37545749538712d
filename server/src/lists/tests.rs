//! Lists over memory, what was closed lately and views together, against the cases themselves, through a log that grows.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use domain::case::{Case, Stage};
use domain::code::{AreaCode, CaseId, WhistleId};
use domain::command::{Command, History};
use domain::event::{By, Recorded};
use domain::moment::{HOUR_MS, MINUTE_MS, UtcMillis};
use domain::policy::Policy;
use domain::scope::Scope;
use domain::state::{Alone, State, decide};
use domain::whistle::{Whistle, WhistleCall, WhistleLevel};

use super::*;
use crate::clock::Clock;
use crate::log::Subject;
use crate::views::work::Work;
use crate::views::{Belongs, Doing, Progress, Settings, Source, ViewsError, sql};

mod joined;
mod built;
mod room;

const START: UtcMillis = UtcMillis(1_795_226_400_000);

/// A log in memory with the states it can be read from.
#[derive(Clone, Default)]
struct Log {
    events: Arc<Mutex<Vec<Recorded>>>,
    states: Arc<Mutex<BTreeMap<u64, State>>>,
    /// Events that were read, by whoever.
    read: Arc<Mutex<Vec<u64>>>,
}

impl Source for Log {
    fn head(&self) -> Result<u64, ViewsError> {
        Ok(self.events.lock().unwrap().len() as u64)
    }

    fn marks(&self) -> Result<Vec<u64>, ViewsError> {
        Ok(self.states.lock().unwrap().keys().rev().copied().collect())
    }

    fn state_at(&self, mark: u64) -> Result<Option<State>, ViewsError> {
        Ok(self.states.lock().unwrap().get(&mark).cloned())
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, ViewsError> {
        let events = self.events.lock().unwrap();
        let page: Vec<Recorded> = events.iter().skip(after as usize).take(limit).cloned().collect();
        self.read.lock().unwrap().extend(page.iter().map(|recorded| recorded.seq));
        Ok(page)
    }

    fn alone(&self, subject: Subject, until: u64) -> Result<Alone, ViewsError> {
        let mut alone = Alone::new(UtcOffset(480));
        for recorded in self.events.lock().unwrap().iter().take(until as usize) {
            let is_about = match subject {
                Subject::Case(id) => recorded.event.case() == Some(CaseId(id)),
                Subject::Whistle(id) => recorded.event.whistle() == Some(WhistleId(id)),
            };
            if is_about {
                alone.take(recorded);
            }
        }
        Ok(alone)
    }
}

/// A hall without a writer: commands go through the rules, lists hear of what they change.
struct City {
    policy: Policy,
    state: State,
    log: Log,
    lists: Lists,
    now: UtcMillis,
    /// Every case and call as it stands, by the same changes.
    cases: BTreeMap<CaseId, Arc<Case>>,
    whistles: BTreeMap<WhistleId, Whistle>,
}

impl City {
    fn new() -> Self {
        let policy: Policy = toml::from_str(include_str!("../../../config/policy.toml")).unwrap();
        let state = State::new(&policy);
        let log = Log::default();
        log.states.lock().unwrap().insert(0, state.clone());
        let lists = Lists::new(policy.utc_offset_minutes);
        lists.start(&state);
        Self { policy, state, log, lists, now: START, cases: BTreeMap::new(), whistles: BTreeMap::new() }
    }

    fn send(&mut self, command: &Command) {
        self.now = self.now.plus(MINUTE_MS);
        let events = decide(&self.state, command, self.now).unwrap();
        let committed: Vec<Committed> = events
            .into_iter()
            .map(|event| {
                let seq = self.state.seq + 1;
                let recorded = Recorded { seq, at: self.now, by: By::named("desk"), event };
                let changes = self.state.apply(&recorded);
                self.log.events.lock().unwrap().push(recorded.clone());
                if let Some(case) = &changes.case {
                    self.cases.insert(case.id, Arc::new(case.clone()));
                }
                if let Some(whistle) = &changes.whistle {
                    self.whistles.insert(whistle.id, whistle.clone());
                }
                Committed { world: crate::world::Live, recorded, changes }
            })
            .collect();
        self.lists.publish(&committed);
    }

    /// One more case: two of three are closed at once, the others stay open in different stages.
    fn one_more(&mut self, n: u64) {
        let code = |codes: Vec<String>| codes[n as usize % codes.len()].clone();
        let areas = self.policy.areas.iter().map(|area| area.code.to_string()).collect();
        let classes = self.policy.classes.iter().map(|class| class.code.to_string()).collect();
        let sources = self.policy.sources.iter().map(|source| source.code.to_string()).collect();
        let mut report = crate::views::tests::closed_case(n).report;
        report.area = code(areas).parse().unwrap();
        report.class = code(classes).parse().unwrap();
        report.source = code(sources).parse().unwrap();
        let opened = self.now.plus(-(HOUR_MS * (n % 48) as i64));
        let closed = (!n.is_multiple_of(3)).then_some(self.now);
        let stage = [Stage::Accept, Stage::File, Stage::Dispatch, Stage::Dispose][n as usize / 3 % 4];
        let history = History { closed, ..History::since(opened, stage) };
        self.send(&Command::TakeOverCase { report, history });
        if n.is_multiple_of(7) {
            self.whistle(n);
        }
    }

    fn whistle(&mut self, n: u64) {
        let area = self.policy.areas[n as usize % self.policy.areas.len()].code.clone();
        let called = vec![self.policy.departments[n as usize % self.policy.departments.len()].code.clone()];
        let level = WhistleLevel::ALL[n as usize % 3];
        let call = WhistleCall { level, area, title: "积水".to_owned(), case: None, called };
        self.send(&Command::RaiseWhistle { call });
        if n.is_multiple_of(2) {
            let whistle = *self.whistles.keys().next_back().unwrap();
            self.send(&Command::CloseWhistle { whistle, note: String::new() });
        }
    }

    fn mark(&self) {
        self.log.states.lock().unwrap().insert(self.state.seq, self.state.clone());
    }

    fn belongs(&self) -> Belongs {
        Belongs { epoch: 9, offset: self.policy.utc_offset_minutes, version: sql::VERSION }
    }

    fn settings(&self, dir: &Path) -> Settings {
        let mut settings = Settings::new(
            dir.to_owned(),
            self.belongs(),
            Box::new(self.log.clone()),
            Arc::new(|| None),
            Clock::machine(),
        );
        settings.full_speed = true;
        settings.seal_cases = 40;
        settings.piece_cases = 50;
        settings
    }

    /// The views' thread without a thread, with lists that know the state and nothing of what was closed: after a start.
    fn started(&mut self, settings: Settings) -> (Work, Arc<ArcSwap<Progress>>) {
        self.lists = Lists::new(self.policy.utc_offset_minutes);
        self.lists.start(&self.state);
        let progress = Arc::new(ArcSwap::from_pointee(Progress::default()));
        let (stop, suspect) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let work = Work::open(settings, self.lists.present(), stop, suspect, progress.clone()).unwrap();
        (work, progress)
    }

    /// Every list over everything, page by page, against the cases themselves.
    #[track_caller]
    fn lists_are_right(&self) {
        let offset = self.policy.utc_offset_minutes;
        for (name, filter, scope) in self.questions() {
            let asked = Asked::new(&filter, &scope, offset);
            let mut wanted: Vec<&Arc<Case>> = self.cases.values().filter(|case| asked.admits(case)).collect();
            match filter.effective_sort() {
                CaseSort::Newest => wanted.sort_by_key(|case| std::cmp::Reverse(case.id)),
                CaseSort::Due => wanted.sort_by_key(|case| (due(case), case.id)),
            }
            let mut found = Vec::new();
            let mut cursor = None;
            loop {
                let page = self.lists.cases(&scope, &filter, cursor.as_ref(), 13).unwrap();
                found.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let ids = |cases: &[Arc<Case>]| cases.iter().map(|case| case.id.0).collect::<Vec<_>>();
            let wanted: Vec<Arc<Case>> = wanted.into_iter().cloned().collect();
            assert_eq!(ids(&found), ids(&wanted), "{name}");
            assert!(found == wanted, "{name}: as they stand now");
            assert_eq!(self.lists.count(&scope, &filter).unwrap(), Some(wanted.len() as u64), "{name}");
        }
        self.whistles_are_right();
    }

    #[track_caller]
    fn whistles_are_right(&self) {
        let area = Some(self.policy.areas[0].code.clone());
        for filter in [
            WhistleFilter::default(),
            WhistleFilter { open: Some(true), ..WhistleFilter::default() },
            WhistleFilter {
                open: Some(false),
                level: Some(WhistleLevel::Street),
                ..WhistleFilter::default()
            },
            WhistleFilter { area, ..WhistleFilter::default() },
        ] {
            let offset = self.policy.utc_offset_minutes;
            let wanted = self.whistles.values().rev().filter(|call| filter.admits(call, &Scope::All, offset));
            let wanted: Vec<Whistle> = wanted.cloned().collect();
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let page = self.lists.whistles(&Scope::All, &filter, cursor.as_ref(), 5).unwrap();
                found.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, wanted, "{filter:?}");
        }
        for (id, whistle) in &self.whistles {
            assert_eq!(self.lists.whistle(&Scope::All, *id).unwrap().as_ref(), Some(whistle));
        }
    }

    fn questions(&self) -> Vec<(&'static str, CaseFilter, Scope)> {
        let none = CaseFilter::default;
        let area = self.policy.areas[self.policy.areas.len() / 2].code.clone();
        let class = self.policy.classes[0].code.clone();
        vec![
            ("everything", none(), Scope::All),
            ("everything of an area", none(), Scope::area(area.clone())),
            ("open", CaseFilter { open: Some(true), ..none() }, Scope::All),
            ("open by due time", CaseFilter { open: Some(true), sort: CaseSort::Due, ..none() }, Scope::All),
            (
                "by due time",
                CaseFilter { sort: CaseSort::Due, area: Some(area.clone()), ..none() },
                Scope::All,
            ),
            ("closed", CaseFilter { open: Some(false), sort: CaseSort::Due, ..none() }, Scope::All),
            ("in disposal", CaseFilter { stage: Some(Stage::Dispose), ..none() }, Scope::All),
            ("class", CaseFilter { class: Some(class), has_place: Some(true), ..none() }, Scope::All),
            ("text", CaseFilter { text: Some("江东路1".to_owned()), ..none() }, Scope::All),
            (
                "closed today",
                CaseFilter { closed: Some("2026-11".parse().unwrap()), ..none() },
                Scope::area(area),
            ),
        ]
    }
}
