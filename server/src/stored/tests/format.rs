//! Which names of events, and which fields of their bodies, the format has: whoever adds one raises the format, or adds it to one that
//! no release has.

use std::collections::BTreeSet;

use domain::case::STEPS;

use crate::log::sqlite::schema::FORMAT;

/// The files that spell out what is stored, in the order of reading.
const SPELT: [&str; 5] = [
    include_str!("../form2.rs"),
    include_str!("../form2/files.rs"),
    include_str!("../form2/follow.rs"),
    include_str!("../form2/catalogue.rs"),
    include_str!("../report.rs"),
];

/// Each name of an event that is read, each `Form.field`, and each `Form.variant`.
fn spelt<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = STEPS.iter().map(|row| row.event.to_owned()).collect();
    for text in texts {
        let mut of: Option<&str> = None;
        for line in text.lines() {
            let declared = ["struct ", "enum "].iter().find_map(|kind| line.split_once(kind));
            if let Some((before, name)) = declared.filter(|(before, _)| !before.contains('/')) {
                of = name.strip_suffix(" {").filter(|_| before.is_empty() || before.starts_with("pub"));
            } else if line == "}" {
                of = None;
            } else if let Some(form) = of {
                let word = line.trim_start().trim_start_matches("pub(super) ").trim_start_matches("pub ");
                let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
                if end > 0 {
                    found.insert(format!("{form}.{}", &word[..end]));
                }
            } else if let Some((name, _)) =
                line.trim_start().strip_prefix('"').and_then(|at| at.split_once("\" => "))
            {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn whoever_stores_what_older_builds_do_not_know_raises_the_format() {
    let file = format!("{}/src/stored/tests/format-{FORMAT}.txt", env!("CARGO_MANIFEST_DIR"));
    let listed = std::fs::read_to_string(&file).unwrap_or_default();
    let listed: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    let spelt = spelt(SPELT);
    let missing: Vec<&String> = spelt.difference(&listed).collect();
    let gone: Vec<&String> = listed.difference(&spelt).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "stored, and not in format {FORMAT}: {missing:?}; in it, and not stored: {gone:?}. If a release has this format, raise it \
         (`log/sqlite/schema.rs`) and list the new one in `{file}`; if none has, mend the list"
    );
    let planted = "struct CaseNoted {\n    case: u64,\n    urgent: bool,\n}\n        \"case_praised\" => follow::praised(),\n";
    let more = self::spelt(SPELT.into_iter().chain([planted]));
    let more: Vec<&String> = more.difference(&spelt).collect();
    assert_eq!(more, ["CaseNoted.urgent", "case_praised"], "what is added is found");
}
