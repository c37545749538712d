//! One style sheet for each screen out of `style/*.css`, without what is another's alone.
//!
//! Order decides which rule wins: tokens, base, then the rest by name; or the `@import` lines of `style/main.css`, if
//! there is one, which must then name every sheet.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::output::{Output, sorted_entries};
use crate::wasm::PROGRAMMES;

/// These come first, in this order.
const FIRST: [&str; 2] = ["tokens.css", "base.css"];
const ENTRY: &str = "main.css";

/// Sheets that some screens alone use.
const OWN: [(&str, &str); 9] = [
    ("wall", "wall.css"),
    ("desk", "case.css"),
    ("department", "case.css"),
    ("desk", "desk.css"),
    ("desk", "desk_sheet.css"),
    ("department", "department.css"),
    ("stage", "stage.css"),
    ("stage", "drill.css"),
    ("door", "pair.css"),
];

/// The sheets of panels, one each. Only a wall hangs panels.
const PANEL: &str = "panel";

pub fn add(folder: &Path, output: &mut Output) -> Result<()> {
    let mut sheets = Vec::new();
    for path in sorted_entries(folder)? {
        let name = path.file_name().expect("a folder's entry has a name").to_string_lossy().into_owned();
        if name.ends_with(".css") {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            sheets.push((name, text));
        }
    }
    for screen in PROGRAMMES {
        output.write(&format!("pkg/{screen}.css"), joined(sheets.clone(), screen)?.as_bytes())?;
    }
    Ok(())
}

/// The sheets a screen uses in order, each under a comment with its name.
fn joined(mut sheets: Vec<(String, String)>, screen: &str) -> Result<String> {
    let entry = sheets.iter().position(|(name, _)| name == ENTRY).map(|at| sheets.remove(at).1);
    let mut order = match entry {
        Some(entry) => imports(&entry)?,
        None => by_name(&sheets),
    };
    order.retain(|name| uses(screen, name));
    sheets.retain(|(name, _)| uses(screen, name));
    let mut joined = String::new();
    for name in &order {
        let at = sheets.iter().position(|(sheet, _)| sheet == name);
        let Some(at) = at else { bail!("style/{ENTRY} names `{name}`, which is not there or named twice") };
        let (name, text) = sheets.remove(at);
        joined.push_str(&format!("/* {name} */\n{}\n", text.trim()));
    }
    match sheets.first() {
        Some((name, _)) => bail!("style/{ENTRY} does not name `{name}`"),
        None => Ok(joined),
    }
}

/// Whether a screen uses a sheet; one that is no screen's own is every screen's.
fn uses(screen: &str, sheet: &str) -> bool {
    if sheet.starts_with(PANEL) {
        return screen == "wall";
    }
    let mut owners = OWN.iter().filter(|(_, own)| *own == sheet).peekable();
    owners.peek().is_none() || owners.any(|(owner, _)| *owner == screen)
}

fn by_name(sheets: &[(String, String)]) -> Vec<String> {
    let mut names: Vec<String> = sheets.iter().map(|(name, _)| name.clone()).collect();
    let rank = |name: &String| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len());
    names.sort_by(|a, b| rank(a).cmp(&rank(b)).then(a.cmp(b)));
    names
}

/// The names in `@import "…";` lines; anything else in the entry sheet would be lost, so it is refused.
fn imports(entry: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let lines = entry.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in lines.filter(|line| !(line.starts_with("/*") && line.ends_with("*/"))) {
        let name = line.strip_prefix("@import \"").and_then(|rest| rest.strip_suffix("\";"));
        let Some(name) = name else {
            bail!(
                "style/{ENTRY} may hold one-line comments and `@import \"NAME.css\";` lines only, not `{line}`"
            )
        };
        names.push(name.trim_start_matches("./").to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheets(names: &[&str]) -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), format!("{{{name}}}"))).collect()
    }

    fn order(joined: &str) -> Vec<&str> {
        joined.lines().filter_map(|line| line.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    #[test]
    fn tokens_and_base_come_before_the_rest() {
        let joined = joined(sheets(&["base.css", "alarm.css", "tokens.css", "wall.css"]), "wall").unwrap();
        assert_eq!(order(&joined), ["tokens.css", "base.css", "alarm.css", "wall.css"]);
    }

    #[test]
    fn a_screen_goes_without_the_sheets_of_the_others() {
        let all = sheets(&["base.css", "case.css", "desk.css", "pair.css", "wall.css", "panel_flow.css"]);
        let desk = joined(all.clone(), "desk").unwrap();
        assert_eq!(order(&desk), ["base.css", "case.css", "desk.css"]);
        let department = joined(all.clone(), "department").unwrap();
        assert_eq!(order(&department), ["base.css", "case.css"], "a sheet may be of two screens");
        let wall = joined(all, "wall").unwrap();
        assert_eq!(order(&wall), ["base.css", "panel_flow.css", "wall.css"]);
    }

    #[test]
    fn an_entry_sheet_decides_and_must_name_every_sheet() {
        let with = |entry: &str| {
            let mut all = sheets(&["a.css", "b.css"]);
            all.push((ENTRY.to_owned(), entry.to_owned()));
            joined(all, "wall")
        };
        let both = with("/* order */\n@import \"b.css\";\n@import \"./a.css\";\n").unwrap();
        assert_eq!(order(&both), ["b.css", "a.css"]);
        assert!(with("@import \"a.css\";").unwrap_err().to_string().contains("does not name `b.css`"));
        assert!(with("@import \"c.css\";").unwrap_err().to_string().contains("`c.css`, which is not there"));
        assert!(with("body { color: red }").unwrap_err().to_string().contains("not `body"));
    }
}
