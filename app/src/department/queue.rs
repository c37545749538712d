//! What the department has before it: its open cases as the feed has them, in the words that were read for them, the most urgent
//! first; and how many of which kind.
//!
//! What should not be here: how a row looks (`list`), calls (`calls`).

use domain::answer::PageAnswer;
use domain::case::{Power, Stage, Step};
use domain::code::{CaseId, DepartmentCode};
use domain::moment::UtcMillis;
use domain::wire::CaseLine;
use leptos::prelude::*;

use crate::api::ApiError;
use crate::ask::Asker;
use crate::board::{Board, Part, use_board};
use crate::once::{effect, memo};
use crate::order::{self, Sorted};
use crate::work::Work;
use crate::work::clock::{Lamp, lamp};
use crate::work::hand::keep_hand;

/// Rows that are drawn at first, and more of each time more are asked for.
const DRAWN: usize = 200;
/// Pages of words that are read: a department has not more open at a time.
const PAGES_MAX: usize = 8;
const PAGE: usize = 500;

/// Which of its cases are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All that wait for the department.
    ToDo,
    /// Those that wait for it in one stage.
    At(Stage),
    Over,
    /// 返工: those that were with it before.
    Back,
    /// Those it has answered, which wait for the centre.
    Centre,
}

impl Which {
    /// In the order in which they stand above the list.
    pub fn all() -> impl Iterator<Item = Self> {
        let stages = Stage::ALL.into_iter().filter(|stage| is_departments(*stage)).map(Self::At);
        [Self::ToDo].into_iter().chain(stages).chain([Self::Over, Self::Back, Self::Centre])
    }

    fn has(self, case: &CaseLine, is_over: bool) -> bool {
        let to_do = is_departments(case.stage);
        match self {
            Self::ToDo => to_do,
            Self::At(stage) => case.stage == stage,
            Self::Over => to_do && is_over,
            Self::Back => to_do && case.round > 1,
            Self::Centre => !to_do,
        }
    }
}

/// Whether the work of the stage is the department's.
pub fn is_departments(stage: Stage) -> bool {
    Step::out_of(stage).is_some_and(|step| step.power == Power::Department)
}

/// Whether the words of the cases are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    Asking,
    There,
    Failed(ApiError),
}

#[derive(Clone, Copy)]
pub struct Queue {
    /// Of the department's open cases, the most urgent first.
    all: Memo<Vec<CaseLine>>,
    /// What is listed, in its order.
    pub listed: RwSignal<Vec<CaseId>>,
    /// How many of them are drawn.
    pub drawn: RwSignal<usize>,
    pub which: RwSignal<Which>,
    counts: Memo<Vec<(Which, usize)>>,
    pub fetch: RwSignal<Fetch>,
    /// What has been read of numbers and addresses.
    words: RwSignal<Sorted<CaseId, CaseLine>>,
    board: Board,
    asks: Asker,
}

impl Queue {
    pub fn new(work: Work) -> Self {
        let board = use_board();
        let words = RwSignal::new(Sorted::default());
        let all = memo(move || match work.own() {
            Some(own) => board
                .with(Part::Cases, |held| words.with(|words| of_department(held.open.iter(), &own, words))),
            None => Vec::new(),
        });
        let which = RwSignal::new(Which::ToDo);
        let tick = memo(move || work.hall.now().0 / 5_000);
        let over = memo(move || {
            tick.get();
            let now = work.hall.present();
            let of =
                |case: &&CaseLine| work.names.with(|names| lamp(*case, now, &names.policy) == Lamp::Over);
            all.with(|all| all.iter().filter(of).map(|case| case.id).collect::<Vec<_>>())
        });
        let counts = memo(move || {
            let count = |which: Which| {
                let has = |case: &&CaseLine| which.has(case, over.with(|over| over.contains(&case.id)));
                (which, all.with(|all| all.iter().filter(has).count()))
            };
            Which::all().map(count).collect()
        });
        let queue = Self {
            all,
            listed: RwSignal::new(Vec::new()),
            drawn: RwSignal::new(DRAWN),
            which,
            counts,
            fetch: RwSignal::new(Fetch::Asking),
            words,
            board,
            asks: Asker::new(),
        };
        let listed = memo(move || {
            let which = which.get();
            let has = |case: &&CaseLine| which.has(case, over.with(|over| over.contains(&case.id)));
            all.with(|all| all.iter().filter(has).map(|case| case.id).collect::<Vec<_>>())
        });
        effect(move || {
            let listed = listed.get();
            keep_hand(|| queue.listed.set(listed));
        });
        queue.keep_words(work);
        queue
    }

    /// Whether the feed has said what is open.
    pub fn knows(self) -> bool {
        self.board.knows(Part::Cases)
    }

    /// Tracked: how many there are, as a screen says it: not known before the feed has said what is open.
    pub fn count(self, which: Which) -> String {
        let count =
            self.counts.with(|counts| counts.iter().find(|(of, _)| *of == which).map(|(_, count)| *count));
        self.board.said(Part::Cases, count.unwrap_or_default() as i64)
    }

    /// Tracked: a case of the department as it stands.
    pub fn line(self, id: CaseId) -> Option<CaseLine> {
        self.all.with(|all| all.iter().find(|case| case.id == id).cloned())
    }

    pub fn more(self) {
        self.drawn.update(|drawn| *drawn += DRAWN);
    }

    /// Reads numbers and addresses: once, again for cases that have none, and off the events that the feed brings.
    fn keep_words(self, work: Work) {
        let lacking = memo(move || {
            let lacks = |case: &&CaseLine| case.number.is_empty();
            self.all.with(|all| all.iter().filter(lacks).map(|case| case.id).collect::<Vec<_>>())
        });
        let own = memo(move || work.own());
        // What was lacking when it was last read: what is still lacking after that, no reading brings.
        let tried: StoredValue<Option<Vec<CaseId>>> = StoredValue::new(None);
        effect(move || {
            let (lacking, fetch) = (lacking.get(), self.fetch.get());
            let Some(own) = own.get() else { return };
            let idle = tried.with_value(|tried| match tried {
                None => true,
                Some(tried) => fetch != Fetch::Asking && !lacking.is_empty() && lacking != *tried,
            });
            if idle {
                tried.set_value(Some(lacking));
                self.read(&own, None, 1);
            }
        });
        let read_to = StoredValue::new(0);
        effect(move || {
            let Some(own) = own.get() else { return };
            let fresh = self.board.with(Part::Events, |held| {
                let newer = held.events.iter().rev().take_while(|event| event.seq > read_to.get_value());
                let of_own = newer.filter_map(|event| event.case.as_ref());
                let fresh: Vec<CaseLine> =
                    of_own.filter(|case| case.department.as_ref() == Some(&own)).cloned().collect();
                read_to.set_value(held.events.back().map_or(0, |event| event.seq));
                fresh
            });
            if !fresh.is_empty() {
                self.take(fresh);
            }
        });
    }

    fn read(self, own: &DepartmentCode, cursor: Option<String>, page: usize) {
        self.fetch.set(Fetch::Asking);
        let encode = |text: &str| String::from(js_sys::encode_uri_component(text));
        let mut path =
            format!("/api/v1/cases?open=true&sort=due&limit={PAGE}&department={}", encode(own.as_str()));
        if let Some(cursor) = cursor {
            path += &format!("&cursor={}", encode(&cursor));
        }
        let own = own.clone();
        self.asks.ask(path, move |answer: Result<PageAnswer<CaseLine>, ApiError>| match answer {
            Ok(answer) => {
                self.take(answer.items);
                match answer.next.filter(|_| page < PAGES_MAX) {
                    Some(next) => self.read(&own, Some(next), page + 1),
                    None => self.fetch.set(Fetch::There),
                }
            }
            Err(error) => self.fetch.set(Fetch::Failed(error)),
        });
    }

    /// Of two lines of a case the later one stays.
    fn take(self, lines: Vec<CaseLine>) {
        self.words.update(|words| {
            for line in lines {
                if words.get(&line.id).is_none_or(|held| held.version < line.version) {
                    words.put(line.id, line);
                }
            }
        });
    }
}

/// A department's cases: those it is to do something for by their due time, then the others.
fn of_department<'a>(
    open: impl Iterator<Item = &'a domain::wire::OpenCase>,
    own: &DepartmentCode,
    words: &Sorted<CaseId, CaseLine>,
) -> Vec<CaseLine> {
    let of_own = open.filter(|case| case.department.as_ref() == Some(own));
    let mut cases: Vec<CaseLine> = of_own.map(|case| case.with_words(words.get(&case.id))).collect();
    order::sort_by_key(&mut cases, urgency);
    cases
}

fn urgency(case: &CaseLine) -> (bool, bool, Option<UtcMillis>, CaseId) {
    (!is_departments(case.stage), case.due.is_none(), case.due, case.id)
}

#[cfg(test)]
mod tests {
    use domain::case::Priority;
    use domain::clock::Phase;
    use domain::wire::OpenCase;

    use super::*;

    fn open(id: u64, of: &str, stage: Stage, due: Option<i64>) -> OpenCase {
        OpenCase {
            id: CaseId(id),
            version: 1,
            area_path: [].into(),
            class: "E01-10".parse().unwrap(),
            department: Some(of.parse().unwrap()),
            claimed_by: None,
            stage,
            stage_since: UtcMillis(0),
            priority: Priority::Ordinary,
            phase: Phase::Running,
            started: Some(UtcMillis(0)),
            due: due.map(UtcMillis),
            limit: None,
            provisional: false,
            place: None,
        }
    }

    #[test]
    fn a_department_has_its_own_cases_alone_and_the_most_urgent_first() {
        let held = [
            open(1, "urban", Stage::Check, None),
            open(2, "urban", Stage::Dispose, Some(9)),
            open(3, "water", Stage::Dispose, Some(1)),
            open(4, "urban", Stage::Dispose, Some(5)),
            open(5, "urban", Stage::Feedback, None),
        ];
        let own: DepartmentCode = "urban".parse().unwrap();
        let mut read = CaseLine { number: "20261121-00004".into(), round: 2, ..held[3].with_words(None) };
        read.version = 0;
        let words = Sorted::of([(CaseId(4), read)]);
        let listed = of_department(held.iter(), &own, &words);
        assert_eq!(listed.iter().map(|case| case.id.0).collect::<Vec<_>>(), [4, 2, 5, 1]);
        assert_eq!((listed[0].number.as_str(), listed[1].number.as_str()), ("20261121-00004", ""));
        let count = |which: Which| listed.iter().filter(|case| which.has(case, case.id.0 == 2)).count();
        let counted: Vec<usize> = Which::all().map(count).collect();
        // To do, to finish, to report back, overdue, returned, with the centre.
        assert_eq!(counted, [3, 2, 1, 1, 1, 1]);
    }
}
