//! The repository's files as the rules see them: what git tracks or would track, by path.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::repo::Repo;

pub struct Tree {
    /// Path → text; `None` for files that are not text.
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    pub fn of_repository() -> Tree {
        let root = Repo::find().root;
        let mut git = Command::new("git");
        git.current_dir(&root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = git.output().expect("git lists the files");
        assert!(listing.status.success(), "git cannot list the files of {}", root.display());
        let paths = String::from_utf8(listing.stdout).expect("our paths are UTF-8");
        // A file that git knows and that was just deleted is not there to be read.
        let present = paths.split_terminator('\0').filter(|path| root.join(path).is_file());
        let read = |path: &str| (path.to_owned(), std::fs::read_to_string(root.join(path)).ok());
        let tree = Tree { files: present.map(read).collect() };
        assert!(tree.has("Cargo.toml"), "no repository at {}", root.display());
        tree
    }

    pub fn planted(files: &[(&str, &str)]) -> Tree {
        Tree {
            files: files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect(),
        }
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    pub fn has_folder(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        self.paths().any(|file| file.starts_with(&inside))
    }

    pub fn top_folders(&self) -> BTreeSet<&str> {
        self.paths().filter_map(|path| Some(path.split_once('/')?.0)).collect()
    }
}
