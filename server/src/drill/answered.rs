//! What a drill has heard of real cases that were answered: kept in its folder, since the city's hall forgets them with its process.
//!
//! What should be here: the file `answered.jsonl`, a line a case, and the drill's own ear. What should not: what is heard
//! (`domain::drill::breaking`), what a line says (`stored::real`).

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use domain::drill::breaking::{Breaking, Kept};
use domain::moment::UtcMillis;
use tokio_util::sync::CancellationToken;

use super::breaking::{Ear, Heard};
use crate::cause::chain;
use crate::stored::real as form;

const FILE: &str = "answered.jsonl";
/// While the next one is written; a start takes no notice of it.
const BEING_WRITTEN: &str = "answered.jsonl.new";

/// What one drill has heard answered so far.
#[derive(Debug)]
pub(super) struct Remembered {
    dir: PathBuf,
    prepared: UtcMillis,
    answered: Vec<Kept>,
}

impl Remembered {
    /// Reads it. Blocks. What cannot be read is told and left out: the drill goes on without it.
    pub fn open(dir: &Path, prepared: UtcMillis) -> Self {
        let answered = read(&dir.join(FILE)).unwrap_or_else(|error| {
            tracing::error!(error, "what a drill has heard of real cases cannot be read");
            Vec::new()
        });
        Self { dir: dir.to_owned(), prepared, answered }
    }

    fn heard(&self, city: &Breaking) -> Breaking {
        city.since(self.prepared, &self.answered)
    }

    /// Puts it on the disk where it is news. Blocks.
    fn take(&mut self, heard: &Breaking) {
        let answered: Vec<Kept> = heard.answered().cloned().collect();
        if answered == self.answered {
            return;
        }
        if let Err(error) = write(&self.dir, &answered) {
            // The screens are told all the same: what is lost is no more than the word of it after a restart.
            tracing::warn!(error = chain(&error), "what a drill has heard of real cases cannot be written");
        }
        self.answered = answered;
    }
}

/// The drill's ear on the city: what it hears is remembered before its screens are told. Until `over`.
pub(super) fn listen(city: Heard, mut remembered: Remembered, over: CancellationToken) -> Heard {
    let first = remembered.heard(&city.now());
    let (ear, heard) = Ear::new(first);
    tokio::spawn(async move {
        let mut city = Some(city);
        loop {
            let now = city.as_mut().map(Heard::take).unwrap_or_default();
            let told = tokio::task::spawn_blocking(move || {
                let heard = remembered.heard(&now);
                remembered.take(&heard);
                (remembered, heard)
            });
            let Ok((after, heard)) = told.await else { return };
            remembered = after;
            ear.tell(heard);
            tokio::select! {
                () = over.cancelled() => return,
                () = Heard::next(&mut city) => {}
            }
        }
    });
    heard
}

fn read(path: &Path) -> Result<Vec<Kept>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("`{}`: {error}", path.display())),
    };
    let line =
        |line: &str| form::read(line).map_err(|error| format!("`{}`: {}", path.display(), chain(&error)));
    text.lines().map(line).collect()
}

/// A whole new file in the place of the old one: a crash leaves one of them.
fn write(dir: &Path, answered: &[Kept]) -> std::io::Result<()> {
    let text: String = answered.iter().filter_map(form::line).map(|line| line + "\n").collect();
    let (fresh, file) = (dir.join(BEING_WRITTEN), dir.join(FILE));
    let mut made = File::create(&fresh)?;
    made.write_all(text.as_bytes())?;
    made.sync_all()?;
    std::fs::rename(&fresh, &file)?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"form":1,"case":7,"number":"20260615-00007","class":"E03-05","area":"530103","address":"北京路","reported_ms":1,"by":"周敏","answered_ms":20,"areas":["530103"],"department":null}"#;

    #[test]
    fn what_was_heard_is_there_again_and_what_cannot_be_read_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let kept = form::read(LINE).unwrap();
        let mut remembered = Remembered::open(dir.path(), UtcMillis(10));
        assert_eq!(remembered.answered, []);
        remembered.take(&Breaking::default().since(UtcMillis(10), std::slice::from_ref(&kept)));
        let again = Remembered::open(dir.path(), UtcMillis(10));
        assert_eq!(again.answered, [kept]);
        assert_eq!(again.heard(&Breaking::default()).answered().count(), 1);
        std::fs::write(dir.path().join(FILE), format!("{LINE}\n{{")).unwrap();
        assert_eq!(Remembered::open(dir.path(), UtcMillis(10)).answered, []);
    }
}
