//! The store with a history, opened by a build to come. Such a build is a process of its own: this program again, told by its
//! environment to be one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use server::config::Config;

use super::{of_the_demonstration, upgrade};

/// Names the folder of the store to the process that is the build to come.
const FOLDER: &str = "GRIDHALL_TEST_UPGRADE";
const LOCAL: &str = "127.0.0.1:0";

/// Runs it to its end.
pub fn by_a_build_to_come(dir: &Path) {
    let mut later = std::process::Command::new(std::env::current_exe().unwrap());
    later.args(["--exact", "history::upgraded::as_the_build_to_come", "--nocapture"]);
    let ran = later.env(FOLDER, dir).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

/// The build to come itself: only in the process that is told a folder there is anything to do.
#[test]
fn as_the_build_to_come() {
    let Some(dir) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let mut config = Config::default();
    of_the_demonstration(&mut config);
    config.store.dir.clone_from(&dir);
    config.server.listen = LOCAL.parse().unwrap();
    let older = Path::new(env!("CARGO_BIN_EXE_gridhall"));
    let arguments = ["--data-dir", dir.to_str().unwrap(), "serve"];
    let seen = upgrade::upgrade(config, true, older, &arguments, &mut |_| Ok(())).unwrap();
    assert!(seen.serving < Duration::from_secs(5), "served after {:?}", seen.serving);
    assert!(seen.rebuilt > seen.serving, "the lists were there at once: nothing was laid out anew");
    assert!(seen.guessed > 50, "{} cases whose field was a guess", seen.guessed);
    assert!(!seen.pages.is_empty() && seen.commands.len() > 1, "nothing was asked meanwhile");
    assert!(seen.wal_bytes > 0 && seen.wal_bytes < 128 << 20, "{} bytes of write-ahead log", seen.wal_bytes);
    assert!(
        seen.events > 300_000 && seen.closings > 45_000,
        "{} events, {} closings",
        seen.events,
        seen.closings
    );
    assert!(seen.refusal.contains("format 3, this version reads up to 2"), "{}", seen.refusal);
}
