//! Views as a whole: every condition against the rows themselves, work that does not grow, files that lie.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::case::{Case, Priority, Report, Stage, Step, Taken};
use domain::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode};
use domain::moment::{DAY_MS, Date, Days, HOUR_MS, UtcMillis, UtcOffset};
use domain::place::Point;
use domain::policy::change::Kind;
use domain::scope::Scope;

use super::file::{self, Belongs, ViewsError};
use super::layout::Layout;
use super::pace::Pace;
use super::pool::{Pool, Written};
use super::scan::{BYTES_MAX, Budget, Cost, Found, Question, Scan};
use super::sql;
use crate::lists::{AnyOf, Asked, CaseFilter};

mod conditions;
mod damage;
mod growth;

pub(super) const OFFSET: UtcOffset = UtcOffset(480);
pub(super) const BELONGS: Belongs = Belongs { epoch: 7, offset: OFFSET, version: sql::VERSION };
/// Cases a day in the made history.
const A_DAY: u64 = 500;

/// Where the made history begins.
pub(super) fn beginning() -> UtcMillis {
    Date::new(2026, 1, 1).unwrap().midnight(OFFSET)
}

/// The n-th case of a made history, closed within some days. Much of it follows from the number, so that conditions find
/// many, few and none.
pub(crate) fn closed_case(n: u64) -> Case {
    let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let reported = beginning().plus((n * (DAY_MS as u64 / A_DAY)) as i64);
    let district = format!("5301{:02}", mixed % 9);
    let street = format!("{district}{:03}", mixed / 9 % 14);
    let path = [street, district, "5301".to_owned()].map(|code| AreaCode::new(code).unwrap());
    let street_names = ["盘龙江东路", "人民中路", "北京路", "People's Road", "滇池路"];
    let took = (mixed % 4_000) as i64 * HOUR_MS / 100;
    let step = |part: i64| reported.plus(took * part / 10);
    let department =
        (!mixed.is_multiple_of(11)).then(|| DepartmentCode::new(format!("D{:02}", mixed % 17)).unwrap());
    let dispatched = (!mixed.is_multiple_of(50)).then(|| step(3));
    let late = step(3) > step(1).plus(2 * HOUR_MS);
    let taken = [(Step::FILE, Some(step(1))), (Step::DISPATCH, dispatched), (Step::CLOSE, Some(step(10)))];
    let steps = taken.into_iter().filter_map(|(step, at)| {
        Some(Taken {
            step,
            at: at?,
            by: "desk".to_owned(),
            department: department.clone(),
            late: step == Step::DISPATCH && late,
            round: 1,
            seq: n + 1,
        })
    });
    let number = format!("{}-{:05}", reported.local(OFFSET).date.number(), n % A_DAY + 1);
    Case {
        id: CaseId(n + 1),
        number,
        report: Report {
            source: SourceCode::new(["inspector", "hotline", "video"][(mixed % 3) as usize]).unwrap(),
            class: ClassCode::new(format!("E{:02}", mixed % 60)).unwrap(),
            area: path[0].clone(),
            condition: None,
            address: format!("{}{}号", street_names[(mixed / 7 % 5) as usize], mixed % 300),
            description: "路面破损，长约一米".to_owned(),
            place: (!mixed.is_multiple_of(5)).then(|| Point::from_degrees(25.0, 102.7).unwrap()),
            priority: Priority::Ordinary,
            base_count: 1,
            reporter: None,
            external: None,
        },
        area_path: path.to_vec(),
        stage: Stage::Close,
        reported,
        stage_since: step(9),
        filed: Some(step(1)),
        dispatched,
        closed: Some(step(10)),
        clocks: Vec::new(),
        steps: steps.collect(),
        round: 1,
        department: department.clone(),
        claimed_by: (mixed.is_multiple_of(4)).then(|| format!("desk{}", mixed % 6)),
        notes: 0,
        files: 0,
        version: n + 1,
    }
}

/// Cases in the order of their closing, as the log has it.
pub(super) fn history(cases: u64) -> Vec<Arc<Case>> {
    let mut all: Vec<Arc<Case>> = (0..cases).map(|n| Arc::new(closed_case(n))).collect();
    all.sort_by_key(|case| (case.closed, case.id));
    all
}

/// Lays a history out as a running hall does: in small stretches, sealed as they fill.
pub(super) fn lay_out(layout: &mut Layout, history: &[Arc<Case>], a_run: usize) {
    let mut pace = Pace::full();
    for (at, part) in history.chunks(a_run).enumerate() {
        let low = (at * a_run) as u64;
        layout.append(part, &[], (low, low + part.len() as u64)).unwrap();
        let mut ids: Vec<CaseId> = part.iter().map(|case| case.id).collect();
        ids.sort_unstable();
        layout.seal(&ids, &BTreeSet::new(), None, &mut pace).unwrap();
    }
}

/// Makes as few runs as may be.
pub(super) fn merge(layout: &mut Layout) {
    let mut pace = Pace::full();
    while layout.merge(i32::MAX, &mut pace).unwrap() {}
    layout.sweep(&mut pace).unwrap();
}

pub(super) fn pool(layout: &Layout) -> Pool {
    Pool::new(layout.path().to_owned(), Written::Meanwhile)
}

/// Asks the runs for a page.
pub(super) fn page(
    layout: &Layout,
    pool: &Pool,
    (filter, scope): (&CaseFilter, &Scope),
    below: u64,
    limit: usize,
) -> Result<(Found, Cost), ViewsError> {
    asked(layout, pool, (filter, scope), BYTES_MAX, |scan| scan.newest(layout.runs(), 0..below, limit))
}

pub(super) fn count(
    layout: &Layout,
    pool: &Pool,
    (filter, scope): (&CaseFilter, &Scope),
) -> Result<(Option<u64>, Cost), ViewsError> {
    asked(layout, pool, (filter, scope), BYTES_MAX, |scan| scan.count(layout.runs()))
}

pub(super) fn asked<T>(
    _: &Layout,
    pool: &Pool,
    (filter, scope): (&CaseFilter, &Scope),
    bytes_max: u64,
    ask: impl FnOnce(&mut Scan<'_>) -> Result<T, ViewsError>,
) -> Result<(T, Cost), ViewsError> {
    pool.with(|conn| {
        let question = Question { filter, scope, offset: OFFSET, masked: &[], last_case: u64::MAX };
        let budget = Budget { bytes_max, is_over: &|| false };
        let mut scan = Scan::new(conn, pool.path(), question, budget);
        let answer = ask(&mut scan)?;
        Ok((answer, scan.cost))
    })
}

/// Conditions one by one and together, with scopes: what lists are asked for.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn questions() -> Vec<(String, CaseFilter, Scope)> {
    let area = |code: &str| Some(AreaCode::new(code).unwrap());
    let day = |text: &str| Some(text.parse::<Days>().unwrap());
    let text = |text: &str| CaseFilter { text: Some(text.to_owned()), ..CaseFilter::default() };
    let none = CaseFilter::default;
    let department = |code: &str| DepartmentCode::new(code).unwrap();
    let any_of = |kind, codes: &[&str]| AnyOf::of(kind, &codes.iter().copied().collect());
    let filters = vec![
        ("everything", none()),
        ("closed", CaseFilter { open: Some(false), ..none() }),
        ("city", CaseFilter { area: area("5301"), ..none() }),
        ("street", CaseFilter { area: area("530104003"), ..none() }),
        ("no area", CaseFilter { area: area("530999"), ..none() }),
        ("class", CaseFilter { class: Some(ClassCode::new("E07").unwrap()), ..none() }),
        ("no class", CaseFilter { class: Some(ClassCode::new("X99").unwrap()), ..none() }),
        ("two areas", CaseFilter { any_of: any_of(Kind::Area, &["530104003", "530107"]), ..none() }),
        ("three classes", CaseFilter { any_of: any_of(Kind::Class, &["E07", "E08", "X99"]), ..none() }),
        ("no class of these", CaseFilter { any_of: any_of(Kind::Class, &["X98", "X99"]), ..none() }),
        ("two sources", CaseFilter { any_of: any_of(Kind::Source, &["video", "hotline"]), ..none() }),
        ("two departments", CaseFilter { any_of: any_of(Kind::Department, &["D05", "D06"]), ..none() }),
        ("source", CaseFilter { source: Some(SourceCode::new("video").unwrap()), ..none() }),
        ("department", CaseFilter { department: Some(department("D05")), ..none() }),
        ("claimed by", CaseFilter { claimed_by: Some("desk4".to_owned()), ..none() }),
        ("claimed", CaseFilter { claimed: Some(true), ..none() }),
        ("not claimed", CaseFilter { claimed: Some(false), ..none() }),
        ("no place", CaseFilter { has_place: Some(false), ..none() }),
        ("stage", CaseFilter { stage: Some(Stage::Close), ..none() }),
        ("reported", CaseFilter { reported: day("2026-01-09"), ..none() }),
        (
            "reported by class of a street",
            CaseFilter {
                reported: day("2026-01-09"),
                area: area("530104"),
                class: Some(ClassCode::new("E07").unwrap()),
                ..none()
            },
        ),
        (
            "reported and closed",
            CaseFilter { reported: day("2026-01-05"), closed: day("2026-01-06"), ..none() },
        ),
        ("reported with a text in", CaseFilter { reported: day("2026-01"), ..text("北京路1") }),
        ("filed in an area", CaseFilter { filed: day("2026-01-07"), area: area("530104"), ..none() }),
        (
            "dispatched late",
            CaseFilter { dispatched: day("2026-01-12"), dispatched_late: Some(true), ..none() },
        ),
        (
            "dispatched in time",
            CaseFilter { dispatched: day("2026-01"), dispatched_late: Some(false), ..none() },
        ),
        ("ever late", CaseFilter { dispatched_late: Some(true), ..none() }),
        ("never late", CaseFilter { dispatched_late: Some(false), ..none() }),
        ("closed in a month", CaseFilter { closed: day("2026-01"), ..none() }),
        ("filed and closed", CaseFilter { filed: day("2026-01-05"), closed: day("2026-01-06"), ..none() }),
        ("in no time", CaseFilter { closed: day("2031-01-06"), ..none() }),
        (
            "much at once",
            CaseFilter {
                area: area("530102"),
                source: Some(SourceCode::new("hotline").unwrap()),
                has_place: Some(true),
                claimed: Some(false),
                ..none()
            },
        ),
        ("two characters", text("盘龙")),
        ("three characters", text("民中路")),
        ("one character", text("滇")),
        ("Latin letters", text("PEOPLE'S r")),
        ("house number", text("路29")),
        ("digits", text("123")),
        ("number", text("20260111-00042")),
        ("part of a number", text("0111-0004")),
        ("nowhere", text("昆仑")),
        ("text in a class", CaseFilter { class: Some(ClassCode::new("E07").unwrap()), ..text("北京路1") }),
    ];
    let within = Scope::Within {
        areas: BTreeSet::from([AreaCode::new("530103").unwrap()]),
        departments: BTreeSet::from([department("D02")]),
    };
    let nothing = Scope::Within { areas: BTreeSet::new(), departments: BTreeSet::new() };
    let scopes = [
        ("all", Scope::All),
        ("street", Scope::area(AreaCode::new("530105011").unwrap())),
        ("department", Scope::department(department("D05"))),
        ("area and department", within),
        ("nothing", nothing),
    ];
    let mut all = Vec::new();
    for (name, filter) in &filters {
        for (scope_name, scope) in &scopes {
            all.push((format!("{name} within {scope_name}"), filter.clone(), scope.clone()));
        }
    }
    all
}

/// What the rows themselves say, newest first.
pub(super) fn expected(cases: &[Arc<Case>], filter: &CaseFilter, scope: &Scope) -> Vec<CaseId> {
    let asked = Asked::new(filter, scope, OFFSET);
    let mut ids: Vec<CaseId> = cases.iter().filter(|case| asked.admits(case)).map(|case| case.id).collect();
    ids.sort_unstable_by(|one, other| other.cmp(one));
    ids
}

/// As `assert_eq`, in few words.
#[track_caller]
pub(super) fn same(found: &[CaseId], wanted: &[CaseId], what: &str) {
    let differs = found.iter().zip(wanted).position(|(found, wanted)| found != wanted);
    assert!(
        found.len() == wanted.len() && differs.is_none(),
        "{what}: {} found, {} wanted, first difference at {differs:?}",
        found.len(),
        wanted.len()
    );
}
