//! Rules about what is said: words of both languages, and names in the first lines of files.

use std::collections::BTreeSet;

use super::*;

/// What a name in a header may be.
const KINDS: [&str; 8] = ["mod", "fn", "struct", "enum", "trait", "const", "type", "macro_rules!"];

/// The compiler sees to it that a word stands in both languages; not that both say its numbers and names.
#[test]
fn both_languages_say_the_same_things() {
    let said = |text: &str| -> BTreeSet<String> {
        let inside = text.split('{').skip(1).filter_map(|rest| rest.split(['}', ':']).next());
        inside.map(str::to_owned).collect()
    };
    check(
        &Tree::planted(&[("app/src/words/a.rs", r#"    late(n, of): "{of} 件中 {n} 件", "{n} late";"#)]),
        |tree| {
            by_line(
                tree,
                |path| path.starts_with("app/src/words/"),
                |line| {
                    let (key, words) = line.split_once("): \"")?;
                    let (chinese, english) = words.split_once("\", \"")?;
                    (said(chinese) != said(english))
                        .then(|| format!("`{}` says less in one language", key.trim()))
                },
            )
        },
    );
}

/// A header that sends readers to a module or file that is gone is worse than none.
#[test]
fn the_first_lines_of_a_file_name_only_what_exists() {
    let planted =
        [("server/src/a.rs", "//! See `http::gone`."), ("server/src/http.rs", "//! Routes. `http.rs`")];
    check(&Tree::planted(&planted), |tree| {
        by_line(tree, is_rust, |line| {
            let named = line.strip_prefix("//!")?.split('`').skip(1).step_by(2);
            let gone = |name: &&str| match name.split_once("::") {
                Some((room, part)) if room.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                    let part = part.split([':', '(', ' ']).next().unwrap_or_default();
                    let of_room = |path: &str| {
                        path.ends_with(&format!("/{room}.rs"))
                            || path.contains(&format!("/{room}/"))
                            || path.starts_with(&format!("{room}/src/"))
                    };
                    let mut rooms =
                        tree.texts().filter(|(path, _)| is_rust(path) && of_room(path)).peekable();
                    let is_known = |(path, text): (&str, &str)| {
                        path.ends_with(&format!("/{part}.rs"))
                            || KINDS.iter().any(|kind| text.contains(&format!("{kind} {part}")))
                    };
                    rooms.peek().is_some() && !rooms.any(is_known)
                }
                _ => {
                    name.ends_with(".rs")
                        && !name.contains([' ', '*'])
                        && !tree.paths().any(|path| path.ends_with(name))
                }
            };
            named.into_iter().find(gone).map(|name| format!("`{name}` does not exist"))
        })
    });
}
