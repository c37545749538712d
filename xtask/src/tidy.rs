//! Rules about the repository, as tests. An unenforced rule rots.
//!
//! Every test first shows that its rule catches a planted offence, then asks it of the files that are really here.
//! Needles are written in two halves, so that this file does not offend against itself.

mod circles;
mod ends;
mod rooms;
mod time;
mod timers;
mod tree;

use std::collections::BTreeSet;

use tree::Tree;

mod plane;
mod said;
mod scope;
mod scripts;

/// Files may be this long; longer ones are mixtures, or stand in `LONG_FILES` with the reason.
const FILE_LINES_MAX: usize = 400;

/// Longer files exist for a reason: path, the length it may not grow beyond, the reason.
const LONG_FILES: &[(&str, usize, &str)] = &[
    ("server/tests/it/http.rs", 460, "doors of one server, with one set of helpers"),
    ("server/tests/it/import.rs", 415, "one table in many shapes, with one set of helpers"),
];

/// Which of our crates each may use: to run, and in its tests besides.
const DIRECTION: &[(&str, &[&str], &[&str])] = &[
    ("domain", &[], &[]),
    ("app", &["domain"], &[]),
    ("server", &["domain"], &["sim"]),
    ("sim", &["domain"], &["server"]),
    ("xtask", &[], &[]),
    ("site", &["xtask"], &[]),
];

/// Hosts that may be named where the browser's side is: namespaces that nothing is loaded from, this machine, and
/// names reserved for examples.
const HARMLESS_HOSTS: &[&str] = &["www.w3.org", "127.0.0.1", "localhost", "[::1]"];
const HARMLESS_ENDINGS: &[&str] = &[".example", ".invalid", ".test"];

/// Rooms whose files name each other in one direction only.
const ROOMS_WITHOUT_CIRCLES: &[&str] = &["server/src/video"];

fn check(planted: &Tree, rule: impl Fn(&Tree) -> Vec<String>) {
    assert!(!rule(planted).is_empty(), "the rule does not catch the planted offence");
    let offences = rule(&Tree::of_repository());
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

/// Offences of single lines: each line of the files that `applies` to, through `finds`.
fn by_line(
    tree: &Tree,
    applies: impl Fn(&str) -> bool,
    finds: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| applies(path)) {
        for (at, line) in text.lines().enumerate() {
            offences.extend(finds(line).map(|what| format!("{path}:{}: {what}", at + 1)));
        }
    }
    offences
}

#[test]
fn every_rust_file_says_what_it_is() {
    check(&Tree::planted(&[("a/src/lib.rs", "use std::fs;\n")]), |tree| {
        let silent = tree.texts().filter(|(path, text)| is_rust(path) && !text.starts_with("//!"));
        silent.map(|(path, _)| format!("{path}: the first line must be a `//!` header")).collect()
    });
}

#[test]
fn files_have_one_purpose_and_stay_short() {
    let long = "//! x\n".repeat(FILE_LINES_MAX + 1);
    check(&Tree::planted(&[("a/src/lib.rs", &long)]), |tree| {
        let sources = |path: &str| is_rust(path) || path.ends_with(".ts") || path.ends_with(".css");
        let mut offences = Vec::new();
        for (path, text) in tree.texts().filter(|(path, _)| sources(path)) {
            let lines = text.lines().count();
            let exception = LONG_FILES.iter().find(|(long, _, _)| *long == path);
            let allowed = exception.map_or(FILE_LINES_MAX, |(_, allowed, _)| *allowed);
            if lines > allowed {
                offences.push(format!("{path}: {lines} lines, {allowed} allowed; split it by purpose"));
            } else if exception.is_some() && lines <= FILE_LINES_MAX {
                offences.push(format!("{path}: short again, take it out of LONG_FILES"));
            }
        }
        offences
    });
}

#[test]
fn every_long_file_that_is_excepted_exists() {
    let tree = Tree::of_repository();
    for (path, _, reason) in LONG_FILES {
        assert!(tree.has(path), "{path} is excepted but not there");
        assert!(reason.len() > 20, "{path}: say why it is long");
    }
}

#[test]
fn modules_are_files_of_their_own_name() {
    check(&Tree::planted(&[("a/src/wall/mod.rs", "//! x\n")]), |tree| {
        tree.paths()
            .filter(|path| path.ends_with("/mod.rs"))
            .map(|path| format!("{path}: use wall.rs + wall/"))
            .collect()
    });
}

#[test]
fn no_file_of_a_room_names_another_in_a_circle() {
    let planted = Tree::planted(&[
        ("server/src/video/a.rs", "//! x\nuse super::{b::B, c};\n"),
        ("server/src/video/b.rs", "//! x\nuse crate::video::c::{self, d::D};\n"),
        ("server/src/video/c/d.rs", "//! x\nfn f() { crate::video::a::g() }\n"),
    ]);
    check(&planted, |tree| {
        let rooms = ROOMS_WITHOUT_CIRCLES.iter();
        rooms.filter_map(|room| circles::circle(tree, room)).map(|circle| circle.join(" names ")).collect()
    });
}

#[test]
fn dependencies_point_inward() {
    let planted = Tree::planted(&[("app/Cargo.toml", "[dependencies]\nserver.workspace = true\n")]);
    check(&planted, |tree| {
        let mut offences = Vec::new();
        for (name, to_run, to_test) in DIRECTION {
            let Some(manifest) = tree.text(&format!("{name}/Cargo.toml")) else { continue };
            let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
            let both = [*to_run, *to_test].concat();
            offences.extend(foreign(name, &manifest, "dependencies", to_run));
            offences.extend(foreign(name, &manifest, "build-dependencies", &[]));
            offences.extend(foreign(name, &manifest, "dev-dependencies", &both));
        }
        offences
    });
}

/// Our own crates in one section of a manifest that are not `allowed` there.
fn foreign(name: &str, manifest: &toml::Table, section: &str, allowed: &[&str]) -> Vec<String> {
    let used = manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten();
    used.map(|(used, _)| used.as_str())
        .filter(|used| DIRECTION.iter().any(|(ours, _, _)| ours == used) && !allowed.contains(used))
        .map(|used| format!("`{name}` must not use `{used}` in its {section}"))
        .collect()
}

#[test]
fn every_crate_has_its_place_in_the_direction_table() {
    let manifest: toml::Table = Tree::of_repository().text("Cargo.toml").unwrap().parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let members: BTreeSet<&str> = members.iter().filter_map(toml::Value::as_str).collect();
    let placed: BTreeSet<&str> = DIRECTION.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(members, placed);
}

#[test]
fn nothing_is_left_for_later() {
    let needles = ["#[ign".to_owned() + "ore", "tod".to_owned() + "o!(", "unimplem".to_owned() + "ented!("];
    let skips = ["test.sk".to_owned() + "ip(", "test.fix".to_owned() + "me(", "test.on".to_owned() + "ly("];
    let planted = format!("//! x\nfn f() {{ {}) }}\n", needles[1]);
    check(&Tree::planted(&[("a/src/lib.rs", &planted)]), |tree| {
        let find = |line: &str, needles: &[String]| {
            // A test that only its parent test runs, in a process of its own, is not skipped.
            let is_child = line.contains("= \"run by ") && line.ends_with(" child\"]");
            let found = needles.iter().find(|needle| line.contains(needle.as_str()) && !is_child);
            found.map(|needle| format!("`{needle}` may not land"))
        };
        let mut offences = by_line(tree, is_rust, |line| find(line, &needles));
        offences.extend(by_line(tree, |path| path.ends_with(".ts"), |line| find(line, &skips)));
        offences
    });
}

#[test]
fn mutexes_are_taken_in_one_way() {
    let needle = concat!("Poison", "Error");
    let planted = format!("//! x\nfn f() {{ a.lock().unwrap_or_else({needle}::into_inner) }}\n");
    check(&Tree::planted(&[("server/src/a.rs", &planted)]), |tree| {
        let product =
            |path: &str| is_rust(path) && path.starts_with("server/src/") && path != "server/src/lock.rs";
        by_line(tree, product, |line| {
            line.contains(needle)
                .then(|| "take it by `lock::lock`, which says what a panic leaves".to_owned())
        })
    });
}

#[test]
fn nothing_names_a_machine_or_a_package_registry() {
    let needles = [
        "/ro".to_owned() + "ot/",
        "/wo".to_owned() + "rk/",
        "/ho".to_owned() + "me/",
        "registry.".to_owned() + "npmjs.org",
        "static.".to_owned() + "crates.io",
        "deb.".to_owned() + "debian.org",
        "\"reso".to_owned() + "lved\": \"http",
    ];
    check(&Tree::planted(&[("docs/a.md", &format!("see {}gridhall", needles[1]))]), |tree| {
        by_line(
            tree,
            |_| true,
            |line| {
                let found = needles.iter().find(|needle| line.contains(needle.as_str()));
                found.map(|needle| format!("`{needle}` differs from machine to machine"))
            },
        )
    });
}

#[test]
fn the_browser_loads_nothing_from_elsewhere() {
    check(&Tree::planted(&[("style/a.css", "@import \"https://fonts.example.com/a.css\";")]), |tree| {
        let seen_by_browser = |path: &str| {
            ["public/", "scripts/", "style/", "app/"].iter().any(|folder| path.starts_with(folder))
        };
        by_line(tree, seen_by_browser, |line| {
            // What a comment cites is not loaded.
            let code = if line.trim_start().starts_with("//") { "" } else { line };
            let host = hosts(code).into_iter().find(|host| !is_harmless(host))?;
            Some(format!("`{host}` is another machine; serve it ourselves"))
        })
    });
}

/// The hosts of the URLs in a line.
fn hosts(line: &str) -> Vec<&str> {
    let ends = |c: char| "/\"'`)<> \\?#{}".contains(c);
    let schemes = ["http://", "https://", "ws://", "wss://"];
    let urls = schemes.iter().flat_map(|scheme| line.split(scheme).skip(1));
    urls.map(|rest| rest.split(ends).next().unwrap_or_default()).filter(|host| !host.is_empty()).collect()
}

fn is_harmless(host: &str) -> bool {
    let name = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or(host) };
    HARMLESS_HOSTS.iter().any(|harmless| host.starts_with(harmless) && name.len() <= harmless.len())
        || HARMLESS_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[test]
fn every_browser_test_watches_that_no_request_leaves_the_machine() {
    let planted = [("end2end/tests/a.spec.ts", "import { test } from '@playwright/test';")];
    check(&Tree::planted(&planted), |tree| {
        let specs = tree.texts().filter(|(path, _)| path.starts_with("end2end/") && path.contains(".spec."));
        let watching = |text: &str| {
            ["helpers/test", "helpers/hall"].iter().any(|helper| text.contains(&format!("{helper}'")))
                // The player's own page has a server that notes every request as it comes.
                || text.contains("server.violations.push(`request to")
        };
        let blind = specs.filter(|(_, text)| !watching(text));
        blind.map(|(path, _)| format!("{path}: use the `test` of end2end/helpers")).collect()
    });
}

#[test]
fn the_map_of_the_code_names_only_what_exists() {
    check(&Tree::planted(&[("ARCHITECTURE.md", "see `server/src/gone.rs`")]), |tree| {
        let mut offences = Vec::new();
        for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
            // Every other piece between backticks is inside them.
            for named in tree.text(page).unwrap_or_default().split('`').skip(1).step_by(2) {
                let is_path = named.contains('/') && !named.contains([' ', '<', '{', '*', '\n', ':', '$']);
                let is_ours = tree.top_folders().contains(named.split('/').next().unwrap_or_default());
                let is_known = tree.has(named) || tree.has_folder(named.trim_end_matches('/'));
                let planted_page = tree.paths().count() == 1;
                if is_path && (is_ours || planted_page) && !is_known {
                    offences.push(format!("{page}: `{named}` does not exist"));
                }
            }
        }
        offences
    });
}

#[test]
fn the_glossary_speaks_of_what_is_in_the_rules() {
    let planted =
        Tree::planted(&[("docs/glossary.md", "| `Gone` | 无 | nothing |"), ("domain/src/a.rs", "//! x")]);
    check(&planted, |tree| {
        let rules: Vec<&str> =
            tree.texts().filter(|(path, _)| path.starts_with("domain/src/")).map(|(_, text)| text).collect();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let words: BTreeSet<&str> = rules.iter().flat_map(|text| text.split(|c| !is_word(c))).collect();
        let rows = tree.text("docs/glossary.md").unwrap_or_default().lines();
        let terms = rows.filter_map(|row| row.strip_prefix("| `")?.split('`').next());
        let gone = terms.filter(|term| !term.split("::").all(|word| words.contains(word)));
        gone.map(|term| format!("docs/glossary.md: `{term}` is not in domain")).collect()
    });
}

#[test]
fn every_dependency_has_its_reason() {
    let planted = Tree::planted(&[("Cargo.toml", "[workspace.dependencies]\nleftpad = \"1\"\n")]);
    check(&planted, |tree| {
        let manifest: toml::Table = tree.text("Cargo.toml").unwrap_or_default().parse().expect("TOML");
        let used = manifest["workspace"]["dependencies"].as_table().expect("a table");
        let page = tree.text("ARCHITECTURE.md").unwrap_or_default();
        let reasons = page.split("## Dependencies").nth(1).unwrap_or_default();
        let packages = reasons.lines().filter_map(|row| row.split('|').nth(2));
        let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let named: BTreeSet<&str> = packages.flat_map(|cell| cell.split(|c| !is_part(c))).collect();
        let foreign = used.iter().filter(|(_, source)| source.get("path").is_none());
        let silent = foreign.filter(|(name, _)| !named.contains(name.as_str()));
        silent.map(|(name, _)| format!("ARCHITECTURE.md, Dependencies: say why `{name}`")).collect()
    });
}

#[test]
fn log_messages_are_lower_case_without_a_full_stop() {
    check(&Tree::planted(&[("a/src/lib.rs", "    tracing::info!(case = 7, \"Case opened.\");\n")]), |tree| {
        by_line(tree, is_rust, |line| {
            let level = ["trace!(", "debug!(", "info!(", "warn!(", "error!("];
            let call = line.split("tracing::").nth(1)?;
            level.iter().find(|level| call.starts_with(**level))?;
            let message = call.strip_suffix("\");")?.rsplit('"').next()?;
            let first_word = message.split(' ').next()?;
            let shouts = first_word.chars().next().is_some_and(char::is_uppercase)
                && !first_word.chars().skip(1).any(char::is_uppercase)
                && first_word.len() > 1;
            (shouts || message.ends_with('.')).then(|| format!("log message \"{message}\""))
        })
    });
}

#[test]
fn crates_that_may_not_read_a_clock_are_told_so() {
    let planted = Tree::planted(&[("domain/clippy.toml", "disallowed-methods = []")]);
    check(&planted, |tree| {
        let bans = |crate_name: &str, banned: &str| {
            let rules = tree.text(&format!("{crate_name}/clippy.toml")).unwrap_or_default();
            (!rules.contains(banned)).then(|| format!("{crate_name}/clippy.toml must ban {banned}"))
        };
        let domain = ["std::time::SystemTime", "std::time::Instant", "std::fs::File", "std::net::TcpStream"];
        let mut offences: Vec<String> = domain.iter().filter_map(|banned| bans("domain", banned)).collect();
        offences.extend(bans("server", "std::time::SystemTime::now"));
        offences
    });
}

/// Whether a line sets a property's field `cases` to a number that is no multiple of anything.
fn fixes_cases(line: &str) -> bool {
    let number = line.split_once("Config { cases: ").map_or("", |(_, number)| number);
    let rest = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    rest.len() < number.len() && !rest.starts_with(" *")
}

/// `--long` reaches properties through proptest's own default, and all else through `GRIDHALL_LONG`, asked for in one
/// place a language.
#[test]
fn every_count_follows_a_long_run() {
    let (fixed, switch) = (concat!("with_", "cases("), concat!("GRIDHALL", "_LONG"));
    let askers =
        ["end2end/helpers/long.ts", "server/tests/it/long.rs", "sim/tests/it/long.rs", "xtask/src/test.rs"];
    let is_source = |path: &str| is_rust(path) || path.ends_with(".ts");
    let field = concat!("Config { cas", "es: 256, ..default }");
    let planted = [("a/src/a.rs", fixed), ("a/src/b.rs", field), ("end2end/tests/a.spec.ts", switch)];
    for plant in planted {
        check(&Tree::planted(&[plant]), |tree| {
            let own = |line: &str| line.contains(fixed) || fixes_cases(line);
            by_line(tree, is_source, |line| own(line).then(|| "a count of its own".to_owned()))
                .into_iter()
                .chain(by_line(
                    tree,
                    |path| is_source(path) && !askers.contains(&path),
                    |line| {
                        (line.contains(switch) && !line.trim_start().starts_with("//"))
                            .then(|| format!("asks {switch} itself"))
                    },
                ))
                .collect()
        });
    }
}
