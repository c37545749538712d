//! Names that carry a hash of the content: a browser keeps such a file for ever, and a page never meets one of another build
//! under the name it knows.
//!
//! What should be here: which files have such names, which names they get, and that whoever names them names them right. What
//! should not: writing them (`output.rs`), how long a browser keeps them (the server).

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use anyhow::{Result, bail};

/// Files by their plain path in the site.
pub type Held = BTreeMap<String, Vec<u8>>;

/// Where those files are that we build. What others wrote has its version in its path.
const BUILT: [&str; 2] = ["pkg/", "js/"];
/// Texts that name other files.
const TEXTS: [&str; 3] = [".js", ".mjs", ".css"];

/// Whether the file gets a name of its content. The page's own script keeps its plain one: it is who brings a page of an older
/// build to the newer one, and must be found from there too.
pub fn carries(path: &str) -> bool {
    BUILT.iter().any(|folder| path.starts_with(folder))
}

/// What all these files are called.
#[derive(Default)]
pub struct Names {
    /// Plain path → path with the hash.
    given: BTreeMap<String, String>,
}

impl Names {
    /// The path that a plain path has in the site.
    #[cfg(test)]
    fn of<'a>(&'a self, plain: &'a str) -> &'a str {
        self.given.get(plain).map_or(plain, String::as_str)
    }

    /// The same path with another name, for a file that is named by its version.
    pub fn give(&mut self, plain: &str, name: &str) {
        self.given.insert(plain.to_owned(), name.to_owned());
    }

    pub fn given(&self) -> &BTreeMap<String, String> {
        &self.given
    }

    /// The text of the file at `path` with every quoted address of a named file in its new form.
    pub fn rewrite(&self, path: &str, text: &str) -> String {
        let mut rewritten = String::with_capacity(text.len());
        let mut at = 0;
        for piece in text.split_inclusive(QUOTES) {
            let (word, quote) = piece.split_at(piece.len() - usize::from(piece.ends_with(QUOTES)));
            let named = self.given.get(&resolved(path, word));
            let named = named.filter(|_| !is_key(&text[..at], &text[at + piece.len()..]));
            at += piece.len();
            match named.and_then(|name| with_last_segment_of(word, name)) {
                Some(address) => rewritten.push_str(&address),
                None => rewritten.push_str(word),
            }
            rewritten.push_str(quote);
        }
        rewritten
    }

    /// Names the files by what they hold, whoever is named before whoever names, and gives each with its name.
    pub fn settle(&mut self, mut held: Held) -> Result<Vec<(String, Vec<u8>)>> {
        let mut settled = Vec::with_capacity(held.len());
        while !held.is_empty() {
            let free = |path: &&String| {
                !referred(path, &held[*path]).any(|other| other != **path && held.contains_key(&other))
            };
            let Some(path) = held.keys().find(free).cloned() else {
                let ring: Vec<&str> = held.keys().map(String::as_str).collect();
                bail!(
                    "files of the site name each other in a ring, so that none can be named by its content: {}",
                    ring.join(", ")
                );
            };
            let bytes = held.remove(&path).unwrap_or_default();
            let bytes = match std::str::from_utf8(&bytes) {
                Ok(text) if is_text(&path) => self.rewrite(&path, text).into_bytes(),
                Ok(_) | Err(_) => bytes,
            };
            let name = hashed(&path, &bytes);
            self.give(&path, &name);
            settled.push((name, bytes));
        }
        Ok(settled)
    }
}

/// Whether what stands in quotes between `before` and `after` is a key of an object. A script that binds WASM has a table of what
/// that imports, by the names that the WASM has for it.
fn is_key(before: &str, after: &str) -> bool {
    before.trim_end_matches(QUOTES).trim_end().ends_with(['{', ',']) && after.trim_start().starts_with(':')
}

const QUOTES: [char; 3] = ['\'', '"', '`'];

fn is_text(path: &str) -> bool {
    TEXTS.iter().any(|ending| path.ends_with(ending))
}

/// Paths that quoted words of a text may mean.
fn referred<'a>(path: &'a str, bytes: &'a [u8]) -> impl Iterator<Item = String> + 'a {
    let text = if is_text(path) { std::str::from_utf8(bytes).unwrap_or_default() } else { "" };
    text.split(QUOTES).filter(|word| !word.is_empty() && word.len() < 200).map(|word| resolved(path, word))
}

/// The site's path that an address means in the file at `from`.
pub fn resolved(from: &str, address: &str) -> String {
    if let Some(absolute) = address.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in address.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// `address` as it is written, naming `name`'s file in its place: they lie in one folder, unless the address is absolute.
fn with_last_segment_of(address: &str, name: &str) -> Option<String> {
    if address.starts_with('/') {
        return Some(format!("/{name}"));
    }
    let file = name.rsplit('/').next()?;
    Some(match address.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{file}"),
        None => file.to_owned(),
    })
}

/// `js/map.js` → `js/map-0123456789abcdef.js`. The server knows such names by this form.
fn hashed(path: &str, bytes: &[u8]) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    bytes.hash(&mut hasher);
    let hash = hasher.finish();
    match path.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}-{hash:016x}.{ending}"),
        None => format!("{path}-{hash:016x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(files: &[(&str, &str)]) -> Held {
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn settled(files: &[(&str, &str)]) -> (Names, BTreeMap<String, String>) {
        let mut names = Names::default();
        let made = names.settle(held(files)).unwrap().into_iter();
        (names, made.map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect())
    }

    const SITE: [(&str, &str); 4] = [
        ("js/map.js", "map"),
        ("js/player.js", "new Worker(new URL('./worker.js',import.meta.url)); say('map.json')"),
        ("js/worker.js", "work"),
        ("pkg/wall.js", "import{a}from\"/js/map.js\";import('../js/player.js');new URL('wall_bg.wasm',u)"),
    ];

    #[test]
    fn whoever_names_a_file_names_it_as_it_is_called() {
        let (names, made) = settled(&[&SITE[..], &[("pkg/wall_bg.wasm", "wasm 'js/map.js'")]].concat());
        for (plain, name) in names.given() {
            assert!(made.contains_key(name) && name != plain, "{plain}");
        }
        let file = |plain: &str| names.of(plain).rsplit('/').next().unwrap().to_owned();
        assert_eq!(
            made[names.of("js/player.js")],
            format!("new Worker(new URL('./{}',import.meta.url)); say('map.json')", file("js/worker.js"))
        );
        assert_eq!(
            made[names.of("pkg/wall.js")],
            format!(
                "import{{a}}from\"/{}\";import('../js/{}');new URL('{}',u)",
                names.of("js/map.js"),
                file("js/player.js"),
                file("pkg/wall_bg.wasm")
            )
        );
        assert_eq!(made[names.of("pkg/wall_bg.wasm")], "wasm 'js/map.js'", "what is no text is left alone");
        let page = names.rewrite("wall.html", "<link href=\"/pkg/wall.js\"><a href=\"/desk\">");
        assert_eq!(page, format!("<link href=\"/{}\"><a href=\"/desk\">", names.of("pkg/wall.js")));
    }

    #[test]
    fn the_wasm_finds_what_it_imports_under_the_name_it_has_for_it() {
        let script = "import*as a from\"/js/map.js\";i={\"./x\":1, \"/js/map.js\": a};j=b?'/js/map.js':''";
        let (names, made) = settled(&[("js/map.js", "map"), ("pkg/wall.js", script)]);
        let (map, kept) = (names.of("js/map.js"), "\"/js/map.js\": a");
        let expected = format!("import*as a from\"/{map}\";i={{\"./x\":1, {kept}}};j=b?'/{map}':''");
        assert_eq!(made[names.of("pkg/wall.js")], expected);
    }

    #[test]
    fn a_change_renames_the_file_and_whoever_names_it_and_nobody_else() {
        let (before, _) = settled(&SITE);
        let mut changed = SITE;
        changed[2].1 = "work better";
        let (after, _) = settled(&changed);
        let differs = |plain: &str| before.of(plain) != after.of(plain);
        assert!(differs("js/worker.js") && differs("js/player.js") && differs("pkg/wall.js"));
        assert!(!differs("js/map.js"));
    }

    #[test]
    fn files_that_name_each_other_are_refused_by_name() {
        let mut names = Names::default();
        let ring = [("js/a.js", "import './b.js'"), ("js/b.js", "import './a.js'"), ("js/c.js", "")];
        let error = names.settle(held(&ring)).unwrap_err().to_string();
        assert!(error.contains("js/a.js, js/b.js") && !error.contains("js/c.js"), "{error}");
    }

    #[test]
    fn what_we_build_has_such_a_name_and_what_is_served_as_it_is_has_none() {
        for ours in ["pkg/wall_bg.wasm", "pkg/wall.css", "js/map.js"] {
            assert!(carries(ours), "{ours}");
        }
        for plain in [
            "wall.html",
            "start.js",
            "icon.svg",
            "build.txt",
            "vendor/pmtiles/4.5.0/pmtiles.js",
            "map/ground.json",
        ] {
            assert!(!carries(plain), "{plain}");
        }
    }
}
