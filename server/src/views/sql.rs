//! Every statement of the views' file. A test asks SQLite for the plan of each: none walks a table.

/// Version of the file's layout and of what is written into it, and part of its name.
pub const VERSION: u32 = 2;
/// `GRHV`: what `file` and SQLite's header say the file is.
pub const APPLICATION_ID: u32 = 0x4752_4856;

pub const TABLES: &str = "
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- Stretches of the log that are laid out: every closing within them is here.
CREATE TABLE covered(low INTEGER PRIMARY KEY, high INTEGER NOT NULL);
-- Closed cases; body: the row in its stored form, then a checksum (`file::packed`).
CREATE TABLE cases(id INTEGER PRIMARY KEY, number TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX cases_number ON cases(number);
-- Closed cases that are in no run yet.
CREATE TABLE tail(id INTEGER PRIMARY KEY);
-- Many closed cases, column by column; head: which they are and what they have in common, crc: of the head.
CREATE TABLE runs(no INTEGER PRIMARY KEY, crc INTEGER NOT NULL, head BLOB NOT NULL);
-- A part of one column of one run; key: `run::piece_key`.
CREATE TABLE pieces(key INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE grams(run INTEGER NOT NULL, gram INTEGER NOT NULL, list BLOB NOT NULL, PRIMARY KEY(run, gram)) WITHOUT ROWID;
-- Rows of runs that a later closing of the same case has replaced: run * 65536 + row.
CREATE TABLE gone(key INTEGER PRIMARY KEY);
-- Closed calls; facts: what lists are filtered by, so that no body is read for it; body as that of cases.
CREATE TABLE whistles(id INTEGER PRIMARY KEY, facts TEXT NOT NULL, body BLOB NOT NULL);
";

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $sql;)*
        /// All of them, for the test of their plans.
        #[cfg(test)]
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

statements! {
    META_GET = "SELECT value FROM meta WHERE name = ?1";
    META_PUT = "INSERT OR REPLACE INTO meta VALUES(?1, ?2)";
    COVERED_AFTER = "SELECT low, high FROM covered WHERE low > ?1 ORDER BY low LIMIT 1";
    COVERED_PUT = "INSERT OR REPLACE INTO covered VALUES(?1, ?2)";
    COVERED_DROP = "DELETE FROM covered WHERE low = ?1";
    CASE_BODY = "SELECT body FROM cases WHERE id = ?1";
    CASE_PUT = "INSERT OR REPLACE INTO cases VALUES(?1, ?2, ?3)";
    CASE_OF_NUMBER = "SELECT id FROM cases WHERE number = ?1 ORDER BY id DESC LIMIT 1";
    TAIL_AFTER = "SELECT id FROM tail WHERE id > ?1 ORDER BY id LIMIT 1024";
    TAIL_PUT = "INSERT OR IGNORE INTO tail VALUES(?1)";
    TAIL_DROP = "DELETE FROM tail WHERE id = ?1";
    RUN_AFTER = "SELECT no, crc, head FROM runs WHERE no > ?1 ORDER BY no LIMIT 1";
    RUN_PUT = "INSERT INTO runs VALUES(?1, ?2, ?3)";
    RUN_DROP = "DELETE FROM runs WHERE no = ?1";
    PIECE = "SELECT body FROM pieces WHERE key = ?1";
    PIECE_PUT = "INSERT INTO pieces VALUES(?1, ?2)";
    PIECES_DROP = "DELETE FROM pieces WHERE key IN (SELECT key FROM pieces WHERE key >= ?1 AND key < ?2 LIMIT 64)";
    GRAM = "SELECT list FROM grams WHERE run = ?1 AND gram = ?2";
    GRAMS_WITHIN = "SELECT list FROM grams WHERE run = ?1 AND gram >= ?2 AND gram < ?3";
    GRAM_PUT = "INSERT INTO grams VALUES(?1, ?2, ?3)";
    GRAMS_DROP = "DELETE FROM grams WHERE run = ?1 AND gram IN (SELECT gram FROM grams WHERE run = ?1 LIMIT 2048)";
    GONE_AFTER = "SELECT key FROM gone WHERE key > ?1 ORDER BY key LIMIT 1024";
    GONE_PUT = "INSERT OR IGNORE INTO gone VALUES(?1)";
    GONE_DROP = "DELETE FROM gone WHERE key >= ?1 AND key < ?2";
    WHISTLE_BODY = "SELECT body FROM whistles WHERE id = ?1";
    WHISTLES_BEFORE = "SELECT id, facts, body FROM whistles WHERE id < ?1 ORDER BY id DESC";
    WHISTLE_PUT = "INSERT OR REPLACE INTO whistles VALUES(?1, ?2, ?3)";
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// Steps of a plan that walk a whole table or sort what they found.
    fn offences(conn: &Connection, sql: &str) -> Vec<String> {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let details =
            statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        let walks = |detail: &String| detail.contains("SCAN ") || detail.contains("TEMP B-TREE");
        details.unwrap().into_iter().filter(walks).collect()
    }

    #[test]
    fn no_statement_walks_a_table() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(TABLES).unwrap();
        let planted = "SELECT id FROM cases WHERE body = x'00' ORDER BY number";
        assert!(!offences(&conn, planted).is_empty(), "the rule does not catch the planted offence");
        for (name, sql) in ALL {
            assert_eq!(offences(&conn, sql), Vec::<String>::new(), "{name}: {sql}");
        }
    }

    /// Statements elsewhere would not be asked for their plans.
    #[test]
    fn statements_stand_in_this_file_alone() {
        let words = ["SELECT ", "INSERT ", "DELETE ", "UPDATE "];
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/views")];
        let mut looked_at = 0;
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(folder).unwrap().flatten() {
                let path = file.path();
                let name = file.file_name();
                // Tests do harm by statements of their own.
                if path.is_dir() && name != "tests" {
                    folders.push(path);
                } else if path.is_file() && name != "sql.rs" {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let found: Vec<&str> =
                        text.lines().filter(|line| words.iter().any(|word| line.contains(word))).collect();
                    assert_eq!(found, Vec::<&str>::new(), "{}", path.display());
                    looked_at += 1;
                }
            }
        }
        assert!(looked_at > 15);
    }
}
