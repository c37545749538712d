//! The site folder: files appear, change, are compressed and vanish only through here.
//!
//! What should be here: bytes on disk and their compressed twins. What should not: where the bytes come from.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::lean::Lean;
use crate::names::{self, Held, Names};

/// Marks a folder as ours, so that stale files in it may be removed.
const MARKER: &str = ".gridhall-site";

/// Which name each file has that is named by its content: for tests and measurements, and for whoever looks for one.
pub const NAMES: &str = "names.json";

/// Files that shrink. Fonts and pictures are compressed in themselves; PMTiles are read by byte range.
const SHRINKING: [&str; 11] =
    ["html", "js", "mjs", "css", "json", "geojson", "svg", "txt", "wasm", "webmanifest", "xml"];

/// Below this a compressed twin saves less than a packet.
const COMPRESS_BYTES_MIN: usize = 512;

type Compressor = fn(&[u8]) -> std::io::Result<Vec<u8>>;

/// The names of compressed twins. Browsers take brotli over TLS and from this machine only; a wall that reaches the hall
/// over plain HTTP asks for gzip, and the server compresses no file when it is asked.
const TWINS: [(&str, Compressor); 2] = [("br", brotli), ("gz", gzip)];

/// Brotli's highest quality: the site is compressed once and sent for years. Gzip likewise.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_LOG2: u32 = 22;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    /// Brotli and gzip.
    Twins,
}

/// A site being made.
pub struct Output {
    folder: PathBuf,
    produced: BTreeSet<String>,
    rewritten: usize,
    /// Scripts and style sheets are shipped without what only their readers need.
    lean: Option<Lean>,
    /// What is named by its content waits here until all of it is there.
    held: Held,
    names: Names,
}

/// A site that is complete.
pub struct Done {
    pub folder: PathBuf,
    pub files: usize,
    pub rewritten: usize,
    pub removed: usize,
}

impl Output {
    /// Opens or makes the folder; one with somebody else's files in it is refused.
    pub fn open(folder: PathBuf) -> Result<Output> {
        let marker = folder.join(MARKER);
        let foreign =
            fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) && !marker.exists();
        if foreign {
            bail!("`{}` holds files that are not a built site; name an empty folder", folder.display());
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&marker, "").with_context(|| format!("cannot write {}", marker.display()))?;
        let produced = BTreeSet::from([MARKER.to_owned()]);
        Ok(Output { folder, produced, rewritten: 0, lean: None, held: Held::new(), names: Names::default() })
    }

    /// From here on our scripts and style sheets are written without what only their readers need.
    pub fn shrink_with(&mut self, lean: Lean) {
        self.lean = Some(lean);
    }

    /// Puts a file at `path`, leaving the one on disk untouched if it is the same already.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let lean = match &self.lean {
            Some(lean) if Lean::shrinks(path) => Some(lean.shrink(path, bytes)?),
            Some(_) | None => None,
        };
        let bytes = lean.as_deref().unwrap_or(bytes);
        if !names::carries(path) {
            return self.put(path, bytes);
        }
        match self.held.insert(path.to_owned(), bytes.to_vec()) {
            Some(_) => bail!("two parts of the site both make `{path}`"),
            None => Ok(()),
        }
    }

    /// Gives what is named by its content its name, when everything that such files name is there.
    pub fn name_by_content(&mut self) -> Result<()> {
        for (name, bytes) in self.names.settle(std::mem::take(&mut self.held))? {
            self.put(&name, &bytes)?;
        }
        let given =
            serde_json::to_vec_pretty(self.names.given()).context("cannot write the names as JSON")?;
        self.put(NAMES, &given)
    }

    /// From here on whoever names `plain` names `name`, which has a version in it.
    pub fn give_name(&mut self, plain: &str, name: &str) {
        self.names.give(plain, name);
    }

    /// A page with the names that files have.
    pub fn with_names(&self, path: &str, page: &str) -> String {
        self.names.rewrite(path, page)
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let file = self.folder.join(path);
        if !self.produced.insert(path.to_owned()) {
            bail!("two parts of the site both make `{path}`");
        }
        if fs::read(&file).is_ok_and(|present| present == bytes) {
            return Ok(());
        }
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
        self.rewritten += 1;
        Ok(())
    }

    pub fn copy(&mut self, from: &Path, path: &str) -> Result<()> {
        let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.write(path, &bytes)
    }

    /// Copies all files below `from` into the site's folder `path`, empty for its top; hidden ones stay behind.
    pub fn copy_folder(&mut self, from: &Path, path: &str) -> Result<()> {
        for entry in sorted_entries(from)? {
            let name = entry.file_name().expect("a folder's entry has a name").to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            let inner = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
            if entry.is_dir() {
                self.copy_folder(&entry, &inner)?;
            } else {
                self.copy(&entry, &inner)?;
            }
        }
        Ok(())
    }

    /// A word for everything made so far: the same files give the same word, another build another one.
    pub fn word(&self) -> Result<String> {
        let mut hasher = std::hash::DefaultHasher::new();
        for path in &self.produced {
            let file = self.folder.join(path);
            let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            (path, bytes).hash(&mut hasher);
        }
        Ok(format!("{:016x}", hasher.finish()))
    }

    /// Compresses what shrinks and removes what no part of the site makes any more.
    pub fn finish(mut self, compression: Compression) -> Result<Done> {
        if let Some(path) = self.held.keys().next() {
            bail!("`{path}` was never named");
        }
        let files = self.produced.len() - 1;
        if compression == Compression::Twins {
            let produced: Vec<String> = self.produced.iter().cloned().collect();
            for path in produced {
                self.compress(&path)?;
            }
        }
        let removed = remove_others(&self.folder, "", &self.produced)?;
        Ok(Done { folder: self.folder, files, rewritten: self.rewritten, removed })
    }

    fn compress(&mut self, path: &str) -> Result<()> {
        let extension = path.rsplit('.').next().unwrap_or_default();
        let file = self.folder.join(path);
        if !SHRINKING.contains(&extension) || length(&file)? < COMPRESS_BYTES_MIN as u64 {
            return Ok(());
        }
        for (ending, compressed) in TWINS {
            let twin_path = format!("{path}.{ending}");
            let twin = self.folder.join(&twin_path);
            if !is_newer(&twin, &file) {
                let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                let small =
                    compressed(&bytes).with_context(|| format!("cannot compress {}", file.display()))?;
                fs::write(&twin, small).with_context(|| format!("cannot write {}", twin.display()))?;
            }
            self.produced.insert(twin_path);
        }
        Ok(())
    }
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let small = Vec::with_capacity(bytes.len() / 3);
    let mut writer = flate2::write::GzEncoder::new(small, flate2::Compression::best());
    writer.write_all(bytes)?;
    writer.finish()
}

fn brotli(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut small = Vec::with_capacity(bytes.len() / 3);
    let mut writer = brotli::CompressorWriter::new(&mut small, 64 * 1024, BROTLI_QUALITY, BROTLI_WINDOW_LOG2);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(small)
}

fn is_newer(twin: &Path, file: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|facts| facts.modified());
    matches!((changed(twin), changed(file)), (Ok(twin), Ok(file)) if twin > file)
}

pub fn length(file: &Path) -> Result<u64> {
    Ok(fs::metadata(file).with_context(|| format!("cannot look at {}", file.display()))?.len())
}

/// What a browser that takes brotli receives.
pub fn length_sent(file: &Path) -> Result<u64> {
    let twin = PathBuf::from(format!("{}.br", file.display()));
    length(if twin.exists() { &twin } else { file })
}

/// The entries of a folder in order of name; none if there is no such folder.
pub fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("cannot list {}", folder.display()))?;
    paths.sort();
    Ok(paths)
}

fn remove_others(folder: &Path, path: &str, produced: &BTreeSet<String>) -> Result<usize> {
    let mut removed = 0;
    for entry in sorted_entries(folder)? {
        let name = entry.file_name().expect("a folder's entry has a name").to_string_lossy();
        let inner = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
        if entry.is_dir() {
            removed += remove_others(&entry, &inner, produced)?;
            if sorted_entries(&entry)?.is_empty() {
                fs::remove_dir(&entry).with_context(|| format!("cannot remove {}", entry.display()))?;
            }
        } else if !produced.contains(&inner) {
            fs::remove_file(&entry).with_context(|| format!("cannot remove {}", entry.display()))?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty folder for one test.
    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("gridhall-output-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn what_is_named_by_its_content_is_there_under_that_name_alone() {
        let folder = scratch("named");
        let built = |text: &str| {
            let mut output = Output::open(folder.clone()).unwrap();
            output.write("js/a.js", text.as_bytes()).unwrap();
            output.name_by_content().unwrap();
            output.finish(Compression::None).unwrap();
            let names = fs::read_to_string(folder.join(NAMES)).unwrap();
            let names: std::collections::BTreeMap<String, String> = serde_json::from_str(&names).unwrap();
            names["js/a.js"].clone()
        };
        let (old, new) = (built("one"), built("two"));
        assert!(old != new && folder.join(&new).is_file());
        assert!(!folder.join(&old).exists() && !folder.join("js/a.js").exists());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_second_build_keeps_what_is_the_same_and_removes_what_is_gone() {
        let folder = scratch("again");
        let mut first = Output::open(folder.clone()).unwrap();
        first.write("a.css", &[b'a'; 600]).unwrap();
        first.write("old/b.js", b"b").unwrap();
        assert_eq!(first.finish(Compression::Twins).unwrap().rewritten, 2);
        assert!(folder.join("a.css.br").exists() && folder.join("old/b.js").exists());
        assert!(folder.join("a.css.gz").exists() && !folder.join("old/b.js.gz").exists());

        let mut second = Output::open(folder.clone()).unwrap();
        second.write("a.css", &[b'a'; 600]).unwrap();
        let done = second.finish(Compression::None).unwrap();
        assert_eq!((done.rewritten, done.removed), (0, 3));
        assert!(!folder.join("a.css.br").exists(), "an uncompressed build leaves no stale twin");
        assert!(!folder.join("old").exists());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_with_other_files_in_it_is_refused_and_left_alone() {
        let folder = scratch("foreign");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("thesis.txt"), "years of work").unwrap();
        assert!(Output::open(folder.clone()).is_err());
        assert!(folder.join("thesis.txt").exists());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_compressed_twin_unpacks_to_the_file() {
        let bytes: Vec<u8> = (0..50_000u32).flat_map(|number| (number % 977).to_le_bytes()).collect();
        let mut unpacked = Vec::new();
        let small = brotli(&bytes).unwrap();
        brotli::BrotliDecompress(&mut small.as_slice(), &mut unpacked).unwrap();
        assert!(small.len() < bytes.len() / 2);
        assert_eq!(unpacked, bytes);
        let small = gzip(&bytes).unwrap();
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(small.as_slice()), &mut unpacked)
            .unwrap();
        assert!(small.len() < bytes.len() / 2);
        assert_eq!(unpacked, bytes);
    }
}
