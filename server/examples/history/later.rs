//! A build to come, and a store as the build before it left it: a field of the state more whose default is a guess, a step
//! more, views of another version.
//!
//! What should be here: what makes this process that build, and the store that one. What should not: what is measured of it
//! (`upgrade`).

use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, ensure};
use domain::case::request::Part;
use domain::case::step::{Disposer, Leads, Note, Power, Row, Step, as_a_later_build};
use domain::case::{Case, Stage};
use rusqlite::Connection;
use server::log::sqlite::schema;
use server::log::{Read, shelf, sqlite::SqliteReader};
use server::serve::Forms;
use server::stored::state::{Known, SECTIONS, known};
use server::views::sql;

/// 走访: somebody goes there before the case passes its check. It waits where it waited.
static STEPS: [Row; 1] = [Row {
    name: "visit",
    event: "case_visited",
    command: "visit_case",
    from: &[Stage::Check],
    to: Leads::Stays,
    power: Power::Supervision,
    stops: &[],
    starts: &[],
    counts: &[],
    counts_late: &[],
    department: Disposer::Kept,
    often: None,
    part: Part::None,
    note: Note::May,
    limit: false,
    happened: ["走访", "Visited"],
    act: ["走访", "Visit"],
}];

/// The step this build has more.
pub const VISIT: Step = Step(&STEPS[0]);

/// The section that has a field more, and the field. Empty is what it is by default.
const SECTION: &str = "cases";
const FIELD: &str = "claimed_by";

static FORMS: LazyLock<[Known; SECTIONS.len()]> = LazyLock::new(|| {
    SECTIONS.map(|section| match section.name {
        SECTION => Known { form: section.form + 1, exact: section.form + 1, ..section },
        _ => section,
    })
});

/// Makes this process the build to come.
pub fn begin() -> anyhow::Result<()> {
    ensure!(as_a_later_build(&STEPS), "this process is another build already");
    Ok(())
}

/// In which forms it keeps the state.
pub fn sections() -> &'static [Known] {
    &*FORMS
}

/// The version of views it lays out.
pub const VIEWS: u32 = sql::VERSION + 1;

/// In which forms it opens a store: the views before serve while it lays out its own, with breaks or without.
pub fn forms(full_speed: bool) -> Forms {
    Forms { sections: sections(), views: VIEWS, reads_older: Some(vec![sql::VERSION]), full_speed }
}

/// Whether a case is in a state in which the field matters.
pub fn has_the_field(case: &Case) -> bool {
    case.claimed_by.is_some()
}

/// Takes the field out of every snapshot in `dir`, as the build before did not write it; gives how many rows had it in the
/// newest.
pub fn take_field_out(dir: &Path) -> anyhow::Result<u64> {
    let epoch = SqliteReader::open(dir).context("cannot open the log")?.epoch();
    let mut had = 0;
    for kept in shelf::list(dir) {
        let opened = shelf::open(&kept.path, epoch, kept.seq, &known(&SECTIONS));
        let mut container = opened.with_context(|| format!("cannot read `{}`", kept.path.display()))?;
        let section = container.sections.iter_mut().find(|section| section.name == SECTION);
        let section = section.with_context(|| format!("a snapshot has no section `{SECTION}`"))?;
        had = 0;
        let mut bytes = Vec::with_capacity(section.bytes.len());
        for line in section.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line)?;
            had += u64::from(row.remove(FIELD).is_some_and(|value| !value.is_null()));
            serde_json::to_writer(&mut bytes, &row)?;
            bytes.push(b'\n');
        }
        section.bytes = bytes;
        shelf::put(dir, &container, kept.day).context("cannot write a snapshot")?;
    }
    ensure!(had > 0, "no case of the newest snapshot has the field, so its default is no guess");
    Ok(had)
}

/// Raises the format of the file, as the first event in a form that older builds do not know does.
pub fn raise_format(dir: &Path) -> anyhow::Result<()> {
    let conn = Connection::open(dir.join(server::folder::DATABASE))?;
    conn.pragma_update(None, "user_version", schema::FORMAT + 1)?;
    Ok(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}
