//! Which file of a room names which other, and whether that goes round in a circle.
//!
//! A file names another by `use`, or by a path that begins with `crate` or `super`. What a parent says of its children
//! (`mod`, `pub use child`) is no naming: that is how files are found.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Tree;

/// The first circle found among the files below `room` (a crate's `src`, or a folder in it), as a chain of paths.
pub fn circle(tree: &Tree, room: &str) -> Option<Vec<String>> {
    let names = names(tree, room);
    let mut done = BTreeSet::new();
    names.keys().find_map(|file| {
        let mut trail = Vec::new();
        walk(file, &names, &mut trail, &mut done)
    })
}

type Names<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn walk<'a>(
    file: &'a str,
    names: &Names<'a>,
    trail: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<String>> {
    if let Some(at) = trail.iter().position(|before| *before == file) {
        return Some(trail[at..].iter().chain([&file]).map(|file| (*file).to_owned()).collect());
    }
    if !done.insert(file) {
        return None;
    }
    trail.push(file);
    let found =
        names.get(file).and_then(|named| named.iter().find_map(|next| walk(next, names, trail, done)));
    trail.pop();
    found
}

fn names<'a>(tree: &'a Tree, room: &str) -> Names<'a> {
    let inside = format!("{room}/");
    let own =
        |path: &&str| path.ends_with(".rs") && (path.starts_with(&inside) || *path == format!("{room}.rs"));
    let files: BTreeSet<&str> =
        tree.paths().filter(own).filter(|path| !path.ends_with("/tests.rs")).collect();
    let named = |file: &'a str| {
        let text = tree.text(file).unwrap_or_default();
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        let found = paths(product).into_iter().filter_map(|path| file_of(&module(file, &path), &files));
        (file, found.filter(|other| *other != file && !is_child(file, other)).collect())
    };
    files.iter().map(|file| named(file)).collect()
}

/// A module's own children: `video.rs` declares `video/relay.rs`.
fn is_child(parent: &str, file: &str) -> bool {
    let below = parent.strip_suffix(".rs").unwrap_or(parent);
    file.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'))
}

/// Every path that begins with `crate` or `super`, braces taken apart.
pub(super) fn paths(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    let starts = ["crate::", "super::"].iter().flat_map(|word| code.match_indices(word)).map(|(at, _)| at);
    for at in starts {
        let inside_a_path = code[..at].ends_with("::") || code[..at].ends_with(char::is_alphanumeric);
        if !inside_a_path {
            expand("", &code[at..], &mut found);
        }
    }
    found
}

/// Reads one path, or one group of paths, from the start of `text`; says how much of it that was.
fn expand(before: &str, text: &str, found: &mut Vec<String>) -> usize {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let path = format!("{before}{}", &text[..end]);
    if !text[end..].starts_with('{') {
        found.push(path);
        return end;
    }
    let mut at = end + 1;
    while let Some(next) = text[at..].chars().next() {
        match next {
            '}' => return at + 1,
            ' ' | ',' | '*' => at += 1,
            _ => at += expand(&path, &text[at..], found).max(1),
        }
    }
    at
}

/// A path as seen from `file`, from the crate's root on.
pub(super) fn module(file: &str, path: &str) -> Vec<String> {
    let own = file.split_once("/src/").map_or(file, |(_, inside)| inside);
    let own = own.strip_suffix(".rs").unwrap_or(own);
    let mut base: Vec<String> = own.split('/').map(str::to_owned).collect();
    let mut parts = path.split("::").filter(|part| !part.is_empty()).peekable();
    if parts.next_if_eq(&"crate").is_some() {
        base.clear();
    }
    while parts.next_if_eq(&"super").is_some() {
        base.pop();
    }
    base.extend(parts.map(str::to_owned));
    base
}

/// The file a path leads into: the longest of its beginnings that is one.
fn file_of<'a>(module: &[String], files: &BTreeSet<&'a str>) -> Option<&'a str> {
    (1..=module.len()).rev().find_map(|parts| {
        let end = format!("/src/{}.rs", module[..parts].join("/"));
        files.iter().find(|file| file.ends_with(&end)).copied()
    })
}
