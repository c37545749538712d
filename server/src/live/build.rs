//! Which build of the screens this server hands out: the word that the site's build wrote beside its files.
//!
//! A page that finds another word in the welcome is of an older build. What should not be here: the files themselves.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use crate::clock::{self, Instant};
use crate::lock::lock;

/// Written by `cargo xtask site`.
const FILE: &str = "build.txt";
/// The site may be exchanged while the server runs; whoever connects is told the new word within this.
const READ_EVERY: Duration = Duration::from_secs(5);
/// Longest word that is taken for one.
const WORD_BYTES_MAX: usize = 64;

/// The word, read now and then.
#[derive(Debug, Default)]
pub struct Build {
    site: Option<PathBuf>,
    known: Mutex<(Option<Instant>, String)>,
}

impl Build {
    /// Of the site in this folder.
    #[must_use]
    pub fn of(site: PathBuf) -> Self {
        Self { site: Some(site), known: Mutex::default() }
    }

    /// The word as it stands; empty where no site is built. The file is small and read once in a while.
    pub fn word(&self) -> String {
        let Some(site) = &self.site else { return String::new() };
        let mut known = lock(&self.known);
        if known.0.is_none_or(|read| read.elapsed() > READ_EVERY) {
            let word = std::fs::read_to_string(site.join(FILE)).unwrap_or_default();
            let word = word.trim();
            known.1 = if word.len() <= WORD_BYTES_MAX { word.to_owned() } else { String::new() };
            known.0 = Some(clock::instant());
        }
        known.1.clone()
    }
}
