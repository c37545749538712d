//! From the conditions of a list to what is looked for in one run.
//!
//! What should be here: dictionaries' codes, ranges, numbers of cases. What should not: reading (`scan`).

use std::collections::HashMap;

use domain::moment::{DAY_MS, UtcMillis, UtcOffset};
use domain::scope::Scope;

use super::file::Run;
use super::pack::{Bits, ColumnHead};
use super::run::{CaseColumn, Dictionary, Kind, RunHead, StepColumn, running};
use super::steps::Flow;
use crate::lists::{AnyOf, CaseFilter, FlowOn};

/// What one row of a case must have.
#[derive(Debug, Clone)]
pub enum Test {
    /// A code of this set.
    Codes(CaseColumn, Bits),
    /// A number from the first to the second.
    Within(CaseColumn, i64, i64),
    /// One of these ways of areas, or one of these departments.
    Scoped { paths: Bits, departments: Bits },
}

/// What one row of a step must have.
#[derive(Debug, Clone)]
pub enum StepTest {
    Codes(StepColumn, Bits),
    Within(StepColumn, i64, i64),
}

/// The codes that `wanted` picks; none when it picks no code.
fn codes(dictionary: &Dictionary, wanted: impl Fn(&str) -> bool) -> Option<Bits> {
    let mut set = Bits::new(dictionary.texts.len());
    for (code, text) in dictionary.texts.iter().enumerate() {
        if wanted(text) {
            set.set(code);
        }
    }
    (!set.is_empty()).then_some(set)
}

fn one(dictionary: &Dictionary, text: &str) -> Option<Bits> {
    let mut set = Bits::new(dictionary.texts.len());
    set.set(dictionary.code(text)?);
    Some(set)
}

/// The tests of a run's rows, beside those of `flows` that [`step_tests`] makes; none when the run's dictionaries say
/// that nothing of it can be found.
#[must_use]
pub fn case_tests(head: &RunHead, filter: &CaseFilter, scope: &Scope, flows: &[FlowOn]) -> Option<Vec<Test>> {
    let mut tests = Vec::new();
    let reports: Vec<&FlowOn> = flows.iter().filter(|flow| !is_asked_of_steps(flow)).collect();
    for FlowOn { days, .. } in &reports {
        tests.push(Test::Within(CaseColumn::Reported, days.from.days(), days.to.days()));
    }
    if flows.is_empty() || !reports.is_empty() {
        for (column, set) in counted_by(head, filter) {
            tests.push(Test::Codes(column_of_case(column), set?));
        }
    }
    if let Some(department) = &filter.department {
        let set = one(head.dictionary(Kind::Department), department.as_str())?;
        tests.push(Test::Codes(CaseColumn::Department, set));
    }
    let claimed = head.dictionary(Kind::Claimed);
    if let Some(name) = &filter.claimed_by {
        tests.push(Test::Codes(CaseColumn::Claimed, one(claimed, name)?));
    }
    if let Some(is) = filter.claimed {
        tests.push(Test::Codes(CaseColumn::Claimed, codes(claimed, |name| name.is_empty() != is)?));
    }
    if let Some(any_of) = &filter.any_of {
        tests.push(any_of_test(head, any_of)?);
    }
    let truth = |column, is: bool| Test::Within(column, i64::from(is), i64::from(is));
    tests.extend(filter.has_place.map(|has| truth(CaseColumn::HasPlace, has)));
    tests.extend(filter.ever_late().map(|late| truth(CaseColumn::Late, late)));
    tests.extend(filter.stage.map(|stage| Test::Within(CaseColumn::Stage, stage as i64, stage as i64)));
    match scope {
        Scope::All => {}
        Scope::Within { areas, departments } => {
            let within =
                |path: &str| path.split('|').any(|code| areas.iter().any(|area| area.as_str() == code));
            let own = |text: &str| departments.iter().any(|department| department.as_str() == text);
            let paths = codes(head.dictionary(Kind::Path), within);
            let departments = codes(head.dictionary(Kind::Department), own);
            match (paths, departments) {
                (None, None) => return None,
                (Some(paths), None) => tests.push(Test::Codes(CaseColumn::Path, paths)),
                (None, Some(departments)) => tests.push(Test::Codes(CaseColumn::Department, departments)),
                (Some(paths), Some(departments)) => tests.push(Test::Scoped { paths, departments }),
            }
        }
    }
    Some(tests)
}

/// A row with one of several codes; none where the run has none of them.
fn any_of_test(head: &RunHead, any_of: &AnyOf) -> Option<Test> {
    let (kind, column, wanted) = match any_of {
        AnyOf::Areas(codes) => (Kind::Path, CaseColumn::Path, codes),
        AnyOf::Classes(codes) => (Kind::Class, CaseColumn::Class, codes),
        AnyOf::Sources(codes) => (Kind::Source, CaseColumn::Source, codes),
        AnyOf::Departments(codes) => (Kind::Department, CaseColumn::Department, codes),
    };
    // A way of areas is one text; no other code has a stroke in it.
    let has = |text: &str| text.split('|').any(|code| wanted.contains(code));
    Some(Test::Codes(column, codes(head.dictionary(kind), has)?))
}

/// The dimensions a number is counted by: each kind with its codes, or none where the run has no such code.
fn counted_by(head: &RunHead, filter: &CaseFilter) -> Vec<(Kind, Option<Bits>)> {
    let mut sets = Vec::new();
    if let Some(area) = &filter.area {
        let within = |path: &str| path.split('|').any(|code| code == area.as_str());
        sets.push((Kind::Path, codes(head.dictionary(Kind::Path), within)));
    }
    if let Some(class) = &filter.class {
        sets.push((Kind::Class, one(head.dictionary(Kind::Class), class.as_str())));
    }
    if let Some(source) = &filter.source {
        sets.push((Kind::Source, one(head.dictionary(Kind::Source), source.as_str())));
    }
    sets
}

fn column_of_case(kind: Kind) -> CaseColumn {
    match kind {
        Kind::Path => CaseColumn::Path,
        Kind::Class => CaseColumn::Class,
        Kind::Source => CaseColumn::Source,
        Kind::Department => CaseColumn::Department,
        Kind::Claimed | Kind::Step => CaseColumn::Claimed,
    }
}

fn column_of_step(kind: Kind) -> StepColumn {
    match kind {
        Kind::Path => StepColumn::Path,
        Kind::Class => StepColumn::Class,
        Kind::Source => StepColumn::Source,
        Kind::Department => StepColumn::Department,
        Kind::Claimed | Kind::Step => StepColumn::Step,
    }
}

/// Whether the days of a step are looked up among the steps. A case is reported once, and its report is counted in the
/// case's own dimensions; where ids follow the reports, as in a hall, nearly all chunks are passed over unread.
#[must_use]
pub fn is_asked_of_steps(flow: &FlowOn) -> bool {
    flow.flow != Flow::REPORTED
}

/// Whether a run may have cases with all these steps on their days. It is asked first: of three years, a month or a day is in
/// few runs, and the others' dictionaries need no look.
#[must_use]
pub fn may_have(run: &Run, flows: &[FlowOn], offset: UtcOffset) -> bool {
    flows.iter().all(|flow| {
        if is_asked_of_steps(flow) {
            let (from, to) = super::run::instants(flow.days.from, flow.days.to, offset);
            run.stepped.meets(from, to)
        } else {
            run.reported.meets(flow.days.from.days(), flow.days.to.days())
        }
    })
}

/// The tests of a run's steps for one step on some days; none when the dictionaries say that there is no such step.
#[must_use]
pub fn step_tests(
    head: &RunHead,
    filter: &CaseFilter,
    flow: &FlowOn,
    offset: UtcOffset,
) -> Option<Vec<StepTest>> {
    let steps = flow.flow.steps();
    let step = codes(head.dictionary(Kind::Step), |name| steps.contains(&name))?;
    let (from, to) = super::run::instants(flow.days.from, flow.days.to, offset);
    let mut tests = vec![StepTest::Codes(StepColumn::Step, step), StepTest::Within(StepColumn::At, from, to)];
    if let Some(late) = flow.late {
        tests.push(StepTest::Within(StepColumn::Late, i64::from(late), i64::from(late)));
    }
    for (kind, set) in counted_by(head, filter) {
        tests.push(StepTest::Codes(column_of_step(kind), set?));
    }
    Some(tests)
}

impl Test {
    /// Whether a chunk may have such a row, judged by its heads.
    #[must_use]
    pub fn may_hold(&self, columns: &[ColumnHead]) -> bool {
        match self {
            Self::Codes(column, set) => columns[*column as usize].may_hold(set),
            Self::Within(column, low, high) => columns[*column as usize].may_lie_within(*low, *high),
            Self::Scoped { paths, departments } => {
                columns[CaseColumn::Path as usize].may_hold(paths)
                    || columns[CaseColumn::Department as usize].may_hold(departments)
            }
        }
    }
}

impl StepTest {
    #[must_use]
    pub fn may_hold(&self, columns: &[ColumnHead]) -> bool {
        match self {
            Self::Codes(column, set) => columns[*column as usize].may_hold(set),
            Self::Within(column, low, high) => columns[*column as usize].may_lie_within(*low, *high),
        }
    }
}

/// Numbers searched for by a part of them, such as `1121-0004` or `00042`.
#[derive(Debug)]
pub struct NumberPart {
    kind: Part,
    /// The one day a number with a whole date can have, as days since 1970.
    day: Option<i64>,
    days: HashMap<i64, bool>,
    /// Running numbers up to [`RUNNING_KNOWN`] that have the part, made at the first look.
    known: Option<Bits>,
}

#[derive(Debug)]
enum Part {
    /// Digits within the date or within the running number.
    Within(String),
    /// The end of the date and the beginning of the running number.
    Across(String, String),
}

/// Running numbers whose texts are compared once for a whole search.
const RUNNING_KNOWN: usize = 1 << 17;

impl NumberPart {
    /// None where no number of the usual form can hold the text.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let kind = match text.split_once('-') {
            None if digits(text) => Part::Within(text.to_owned()),
            Some((date, run)) if digits(date) && digits(run) && date.len() <= 8 => {
                Part::Across(date.to_owned(), run.to_owned())
            }
            None | Some(_) => return None,
        };
        let day = match &kind {
            Part::Across(date, _) if date.len() == 8 => {
                let days: domain::moment::Days = date.parse().ok()?;
                Some(days.from.days())
            }
            Part::Across(..) | Part::Within(_) => None,
        };
        Some(Self { kind, day, days: HashMap::new(), known: None })
    }

    /// Whether a chunk may have such a number.
    #[must_use]
    pub fn may_hold(&self, columns: &[ColumnHead]) -> bool {
        self.day.is_none_or(|day| columns[CaseColumn::NumberDay as usize].may_lie_within(day, day))
    }

    /// Whether the number of this day (days since 1970) and running number holds the part.
    pub fn admits(&mut self, day: i64, number: i64) -> bool {
        if day < 0 {
            return false;
        }
        let kind = &self.kind;
        let of_day = *self.days.entry(day).or_insert_with(|| {
            let date = UtcMillis(day * DAY_MS).local(UtcOffset(0)).date.number().to_string();
            match kind {
                Part::Within(part) => date.contains(part.as_str()),
                Part::Across(end, _) => date.ends_with(end.as_str()),
            }
        });
        let across = matches!(kind, Part::Across(..));
        match (across, of_day) {
            (false, true) => true,
            (true, false) => false,
            (true, true) | (false, false) => self.runs(number),
        }
    }

    fn runs(&mut self, number: i64) -> bool {
        let kind = &self.kind;
        let fits = |number: i64| match kind {
            Part::Within(part) => running(number).contains(part.as_str()),
            Part::Across(_, start) => running(number).starts_with(start.as_str()),
        };
        let Ok(at) = usize::try_from(number) else { return false };
        // Of one day there are fewer to compare than would be made known.
        if self.day.is_some() || at >= RUNNING_KNOWN {
            return fits(number);
        }
        let known = self.known.get_or_insert_with(|| {
            let mut known = Bits::new(RUNNING_KNOWN);
            (0..RUNNING_KNOWN).filter(|number| fits(*number as i64)).for_each(|number| known.set(number));
            known
        });
        known.has(at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::number_parts;
    use super::*;

    #[test]
    fn parts_of_numbers_are_found_as_in_their_text() {
        let numbers = ["20261121-00042", "20261121-00007", "20260415-00042", "20261104-123456"];
        let parts = [
            "20261121-00042",
            "1121-0004",
            "00042",
            "-00042",
            "2026112",
            "1121-",
            "42",
            "123456",
            "9",
            "21-1",
        ];
        for part in parts {
            for number in numbers {
                let (day, run) = number_parts(number).unwrap();
                let found = NumberPart::new(part).unwrap().admits(day, run);
                assert_eq!(found, number.contains(part), "{part} in {number}");
            }
        }
        for text in ["盘龙", "20261121-00042-1", "a1", "120261121-0"] {
            assert!(NumberPart::new(text).is_none(), "{text}");
        }
    }

    #[test]
    fn only_numbers_of_the_usual_form_are_packed() {
        assert_eq!(number_parts("20261121-00042").map(|(_, run)| run), Some(42));
        for odd in ["20261121-42", "20261321-00042", "X20261121-00042", "20261121-000042", "20261121"] {
            assert_eq!(number_parts(odd), None, "{odd}");
        }
    }
}
