//! Files that are torn, foreign, of another store or of the future.

use super::*;

fn laid_out(dir: &std::path::Path) -> Layout {
    let mut layout = Layout::open(dir, BELONGS, 10_000).unwrap().layout;
    lay_out(&mut layout, &history(2_000), 1_000);
    layout
}

fn discarded(dir: &std::path::Path, belongs: Belongs, head: u64) -> Option<String> {
    let begun = Layout::open(dir, belongs, head).unwrap();
    let empty = begun.layout.runs().is_empty();
    assert_eq!(empty, begun.discarded.is_some(), "what is not trusted is not served");
    begun.discarded
}

#[test]
fn views_that_cannot_be_trusted_are_made_anew_and_said_to_be() {
    type Harm = fn(&std::path::Path);
    let cases: [(&str, Harm, Belongs, u64); 6] = [
        ("event 2000, and the log ends at 1999", |_| {}, BELONGS, 1_999),
        ("another store", |_| {}, Belongs { epoch: 8, ..BELONGS }, 10_000),
        ("another offset", |_| {}, Belongs { offset: UtcOffset(0), ..BELONGS }, 10_000),
        ("not one of gridhall's", |file| std::fs::write(file, "x".repeat(5_000)).unwrap(), BELONGS, 10_000),
        ("shorter than its header", |file| std::fs::write(file, "SQLite").unwrap(), BELONGS, 10_000),
        (
            "head of run",
            |file| {
                let conn = rusqlite::Connection::open(file).unwrap();
                conn.execute("UPDATE runs SET head = zeroblob(length(head))", []).unwrap();
            },
            BELONGS,
            10_000,
        ),
    ];
    for (words, harm, belongs, head) in cases {
        let dir = tempfile::tempdir().unwrap();
        drop(laid_out(dir.path()));
        assert_eq!(discarded(dir.path(), BELONGS, 2_000), None);
        harm(&dir.path().join(file::name(sql::VERSION)));
        let why = discarded(dir.path(), belongs, head).unwrap_or_default();
        assert!(why.contains(words), "{words}: {why}");
    }
}

#[test]
fn views_of_a_newer_version_are_passed_over_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let newer = dir.path().join(file::name(sql::VERSION + 1));
    std::fs::write(&newer, "of the future").unwrap();
    drop(laid_out(dir.path()));
    assert_eq!(std::fs::read_to_string(newer).unwrap(), "of the future");
    assert_eq!(file::versions(dir.path()), [sql::VERSION, sql::VERSION + 1]);
}

#[test]
fn a_changed_byte_within_a_piece_a_list_or_a_row_is_an_error_and_never_an_answer() {
    for (harm, text) in [
        ("UPDATE pieces SET body = zeroblob(length(body))", None),
        ("DELETE FROM pieces", None),
        ("UPDATE grams SET list = zeroblob(length(list))", Some("盘龙")),
        ("UPDATE cases SET body = zeroblob(length(body))", None),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let layout = laid_out(dir.path());
        let conn = rusqlite::Connection::open(layout.path()).unwrap();
        conn.execute(harm, []).unwrap();
        let filter =
            CaseFilter { text: text.map(str::to_owned), claimed: Some(true), ..CaseFilter::default() };
        let answer = page(&layout, &pool(&layout), (&filter, &Scope::All), u64::MAX, 10);
        assert!(answer.as_ref().is_err_and(ViewsError::is_damaged), "{harm}: {answer:?}");
    }
}
