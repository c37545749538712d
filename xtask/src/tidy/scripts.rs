//! What the browser's side is written in besides Rust is held to the same habits: headers, types, lines that can be read.

use super::{by_line, check, tree::Tree};

/// Style sheets wider than this are not read; nobody sees what a change in the middle of a line did.
const STYLE_COLUMNS_MAX: usize = 120;

fn is_typescript(path: &str) -> bool {
    path.ends_with(".ts")
}

#[test]
fn every_script_says_what_it_is_and_each_of_the_product_what_does_not_belong_there() {
    let planted = [("scripts/a.ts", "export const one = 1;\n"), ("scripts/b.ts", "// What this is.\n")];
    for plant in planted {
        check(&Tree::planted(&[plant]), |tree| {
            let scripts = tree.texts().filter(|(path, _)| is_typescript(path));
            let silent = scripts.filter(|(path, text)| {
                let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("//")).collect();
                let of_product = path.starts_with("scripts/") && !path.contains("/tests/");
                let says_where = header.iter().any(|line| line.contains("What should not"));
                header.is_empty() || (of_product && !says_where)
            });
            silent
                .map(|(path, _)| {
                    format!("{path}: the first line says what the file is, the next what should not be there")
                })
                .collect()
        });
    }
}

#[test]
fn no_script_gives_up_its_types() {
    let words = ["a".to_owned() + "ny", "@ts-".to_owned()];
    let planted = [
        format!("// x\nconst held: {} = 1;\n", words[0]),
        format!("// x\nlet a = b as {};\n", words[0]),
        format!("// x\n// {}ignore\n", words[1]),
    ];
    for plant in &planted {
        check(&Tree::planted(&[("scripts/a.ts", plant)]), |tree| {
            by_line(tree, is_typescript, |line| {
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let mut before = "";
                for word in line.split(|c| !is_word(c)).filter(|word| !word.is_empty()) {
                    let at = word.as_ptr() as usize - line.as_ptr() as usize;
                    let ahead = line[..at].trim_end();
                    let typed = ahead.ends_with([':', '<', '|']) || before == "as";
                    if word == words[0] && typed && !ahead.trim_start().starts_with("//") {
                        return Some(format!("`{}`: say what it is, or `unknown`", words[0]));
                    }
                    before = word;
                }
                line.contains(&words[1])
                    .then(|| "the compiler is right until somebody shows otherwise".to_owned())
            })
        });
    }
}

#[test]
fn a_style_sheet_is_read_line_by_line() {
    let wide = format!(".a {{ color: red; }} {}\n", "/* */".repeat(STYLE_COLUMNS_MAX / 5));
    check(&Tree::planted(&[("style/a.css", &wide)]), |tree| {
        by_line(
            tree,
            |path| path.ends_with(".css"),
            |line| {
                let columns = line.chars().count();
                (columns > STYLE_COLUMNS_MAX)
                    .then(|| format!("{columns} characters, {STYLE_COLUMNS_MAX} allowed"))
            },
        )
    });
}
