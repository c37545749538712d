//! Statements of the log, of tracks and of accounts: none walks a table, as they grow by millions of rows a year.
//!
//! Method: the statements are read out of the sources, so that the next one is asked for its plan too, on the files a hall has made.
//! Those of the views stand in one file with a test of its own (`views::sql`).

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use crate::http::{Served, served};

/// What may read a whole table, or speaks of tables that a file of today does not have: how it begins, and why.
const EXCEPTED: [(&str, &str); 22] = [
    ("SELECT no, case_id FROM persons WHERE key IS NULL", "those that are erased, by an index of their own"),
    ("SELECT keys.fingerprint", "keys of format 1, gone once they are moved"),
    ("SELECT k.key, k.fingerprint", "keys of format 1, gone once they are moved"),
    ("DELETE FROM keys", "keys of format 1, gone once they are moved"),
    ("DELETE FROM case_areas", "lists of format 1, taken out in bites"),
    ("DELETE FROM cases", "lists of format 1, taken out in bites"),
    ("DELETE FROM whistles", "lists of format 1, taken out in bites"),
    (
        "SELECT EXISTS(SELECT 1 FROM events WHERE door",
        "at the first start of an imported store; else found at once",
    ),
    ("SELECT agreed_ms, seen_ms FROM agreement", "has one row"),
    ("SELECT id, code, newest FROM inspectors", "once, at the start: everybody's newest position"),
    (
        "SELECT code FROM inspectors ORDER BY id",
        "once for each past instant that is shown: where everybody stood",
    ),
    ("SELECT bytes FROM flushes", "once, at the start: what was not sealed, 15 minutes at most"),
    ("SELECT bytes FROM ticks", "tracks of the first form, once"),
    ("SELECT bytes FROM first_chunks", "tracks of the first form, until they are too old"),
    ("DELETE FROM first_chunks", "tracks of the first form, until they are too old"),
    ("SELECT count(*) FROM (SELECT 1 FROM first_chunks", "tracks of the first form, until they are too old"),
    ("SELECT * FROM token", "once, at the start, and for whoever lists them: some hundreds"),
    ("SELECT digest, account, csrf", "once, at the start: who is signed in"),
    ("SELECT *, password_hash", "once, at the start, and for whoever lists them: some hundreds"),
    ("SELECT at_ms, by, act, name FROM act", "for whoever lists them; the newest thousands are kept"),
    ("SELECT count(*) FROM account", "some hundreds"),
    ("DELETE FROM session", "who is signed in: some hundreds"),
];

/// The texts between quotation marks of a source file, without its tests.
fn texts(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("'\"'", "' '");
    let (mut found, mut text, mut within, mut chars) = (Vec::new(), String::new(), false, code.chars());
    while let Some(next) = chars.next() {
        match (within, next) {
            (true, '\\') => text.extend(chars.next().filter(|after| *after != '\n')),
            (_, '"') => {
                if within {
                    found.push(std::mem::take(&mut text).split_whitespace().collect::<Vec<_>>().join(" "));
                }
                within = !within;
            }
            (true, other) => text.push(other),
            (false, _) => {}
        }
    }
    found
}

/// A text as a statement, where it is one or the condition of one.
fn statement(text: &str) -> Option<String> {
    const WORDS: [&str; 6] = ["SELECT ", "INSERT INTO ", "INSERT OR ", "DELETE FROM ", "UPDATE ", "WITH "];
    if text.contains(" ORDER BY ")
        && ["seq ", "case_id ", "whistle_id "].iter().any(|word| text.starts_with(word))
    {
        return Some(format!("SELECT * FROM events WHERE {text}"));
    }
    // Its conditions stand elsewhere and are asked each on their own.
    if !WORDS.iter().any(|word| text.starts_with(word)) || text.contains("{which}") {
        return None;
    }
    Some(
        text.replace("{EVENT}", "*")
            .replace("{COMMAND}", "*")
            .replace("{COLUMNS}", "*")
            .replace("{table}", "day_1")
            .replace("{}", "day_1"),
    )
}

/// Every statement of the files below, with where it stands.
fn statements(path: &Path) -> Vec<(String, String)> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return entries.filter(|path| !path.ends_with("tests")).flat_map(|path| statements(&path)).collect();
    }
    if name == "tests.rs" {
        return Vec::new();
    }
    let found = texts(&std::fs::read_to_string(path).unwrap());
    found.iter().filter_map(|text| statement(text)).map(|sql| (name.clone(), sql)).collect()
}

/// Steps of a plan that walk a whole table or sort what they found; or why there is no plan.
fn offences(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = match conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")) {
        Ok(statement) => statement,
        Err(error) => return vec![error.to_string()],
    };
    let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
    // What SQLite keeps of itself has a row a table.
    let own = |step: &str| step.contains("CONSTANT ROW") || step.contains("SCAN sqlite_");
    let walks = |step: &String| (step.contains("SCAN ") && !own(step)) || step.contains("TEMP B-TREE");
    steps.unwrap().into_iter().filter(walks).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_of_log_tracks_and_accounts_walks_a_table() {
    let Served { running, dir, .. } = served().await;
    running.stop().await.unwrap();
    let (mut wrong, mut excepted, mut asked) = (Vec::new(), BTreeSet::new(), 0);
    let parts =
        [("gridhall.db", "log/sqlite"), ("positions.db", "position/track"), ("access.db", "access/db")];
    for (file, part) in parts {
        let conn = Connection::open(dir.path().join(file)).unwrap();
        if file == "positions.db" {
            let day = "CREATE TABLE IF NOT EXISTS day_1 (code TEXT NOT NULL, mark INTEGER NOT NULL, part INTEGER NOT NULL,
                       bytes BLOB NOT NULL, PRIMARY KEY (code, mark, part)) WITHOUT ROWID";
            conn.execute_batch(day).unwrap();
        }
        let planted = match file {
            "gridhall.db" => "SELECT seq FROM events WHERE actor = ?1",
            "positions.db" => "SELECT mark FROM day_1 WHERE mark = ?1",
            _ => "SELECT name FROM account WHERE password_hash = ?1",
        };
        assert!(
            !offences(&conn, planted).is_empty(),
            "the rule does not catch the planted offence: {planted}"
        );
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(part);
        let mut found = statements(&sources.with_extension("rs"));
        if sources.is_dir() {
            found.extend(statements(&sources));
        }
        for (at, sql) in found {
            asked += 1;
            let found = offences(&conn, &sql);
            let reason = EXCEPTED.iter().find(|(begins, _)| sql.starts_with(begins));
            match (found.is_empty(), reason) {
                (true, _) => {}
                (false, Some((begins, _))) => drop(excepted.insert(*begins)),
                (false, None) => wrong.push(format!("{at}: {sql}: {found:?}")),
            }
        }
    }
    let stale: Vec<&str> =
        EXCEPTED.iter().map(|(begins, _)| *begins).filter(|begins| !excepted.contains(begins)).collect();
    assert_eq!(
        (wrong, stale),
        (Vec::<String>::new(), Vec::new()),
        "walks a table, or is excepted for nothing"
    );
    assert!(asked > 55, "{asked} statements were found");
}
