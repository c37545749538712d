//! What an installed package has put around this program: the site, the settings, the simulator of the demonstration.
//!
//! What should be here: where it lies, and running the demonstration from it. What should not: what a package is made of
//! (`cargo xtask dist`), what the demonstration does (`sim demo`).

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// A package, installed under a prefix: `/usr`, or wherever the archive was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// `PREFIX/share/gridhall`: the site, the demonstration's city, examples.
    pub share: PathBuf,
    /// `PREFIX/lib/gridhall/sim`.
    simulator: PathBuf,
    /// What holds where no `--config` names settings.
    pub settings: PathBuf,
}

impl Installed {
    /// The package this program came in; none for one that was built and never installed.
    #[must_use]
    pub fn here() -> Option<Self> {
        Self::around(&std::env::current_exe().ok()?)
    }

    /// The package around `PREFIX/bin/gridhall`.
    fn around(program: &Path) -> Option<Self> {
        let prefix = program.parent().filter(|folder| folder.ends_with("bin"))?.parent()?;
        let share = prefix.join("share/gridhall");
        // What belongs to the machine is in `/etc`; an unpacked archive has everything within itself.
        let etc = if prefix == Path::new("/usr") { PathBuf::from("/etc") } else { prefix.join("etc") };
        share.join("site").is_dir().then(|| Self {
            share,
            simulator: prefix.join("lib/gridhall/sim"),
            settings: etc.join("gridhall/gridhall.toml"),
        })
    }

    /// The settings of this machine, where there are any.
    #[must_use]
    pub fn settings(&self) -> Option<&Path> {
        self.settings.is_file().then_some(&self.settings)
    }

    #[must_use]
    pub fn site(&self) -> PathBuf {
        self.share.join("site")
    }
}

/// The settings to read: those that were named, else the machine's.
pub fn settings(named: Option<PathBuf>) -> Option<PathBuf> {
    named.or_else(|| Installed::here()?.settings().map(Path::to_owned))
}

/// Refuses to work as root in a data folder that is another user's: a file that root leaves there cannot be written by the
/// running hall, which would end with it.
pub fn refuse_strangers(data: &Path) -> anyhow::Result<()> {
    let Ok(facts) = std::fs::metadata(data) else { return Ok(()) };
    check_owner(data, facts.uid(), rustix::process::geteuid().as_raw())
}

fn check_owner(data: &Path, owner: u32, us: u32) -> anyhow::Result<()> {
    anyhow::ensure!(
        us != 0 || owner == 0,
        "the data folder `{}` belongs to another user (uid {owner}); run this as that user: \
         sudo -u '#{owner}' gridhall …",
        data.display()
    );
    Ok(())
}

/// Becomes the demonstration of the installed package: server, cameras and city on this machine. Returns only when it
/// cannot.
pub fn demo(arguments: &[OsString]) -> anyhow::Error {
    match demonstration(arguments) {
        Ok(mut demo) => anyhow::Error::new(demo.exec())
            .context(format!("cannot start `{}`", demo.get_program().display())),
        Err(error) => error,
    }
}

fn demonstration(arguments: &[OsString]) -> anyhow::Result<Command> {
    let package = Installed::here().context(
        "no installed package is around this program; in a checkout `cargo xtask demo` runs the demonstration",
    )?;
    let mut demo = Command::new(&package.simulator);
    demo.arg("demo").arg("--gridhall").arg(std::env::current_exe().context("cannot find this program")?);
    demo.arg("--site").arg(package.site()).arg("--share").arg(&package.share).args(arguments);
    Ok(demo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_known_by_the_site_beside_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("bin/gridhall");
        assert_eq!(Installed::around(&program), None, "nothing is installed there");
        std::fs::create_dir_all(dir.path().join("share/gridhall/site")).unwrap();
        let package = Installed::around(&program).unwrap();
        assert_eq!(package.site(), dir.path().join("share/gridhall/site"));
        assert_eq!(package.settings(), None);
        let settings = dir.path().join("etc/gridhall/gridhall.toml");
        std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
        std::fs::write(&settings, "").unwrap();
        assert_eq!(package.settings(), Some(settings.as_path()));
        // A build's own folder is no package, whatever stands beside it.
        assert_eq!(Installed::around(&dir.path().join("release/gridhall")), None);
    }

    #[test]
    fn a_program_that_is_not_installed_says_how_the_demonstration_is_run() {
        assert_eq!(Installed::here(), None);
        let error = demo(&[]).to_string();
        assert!(error.contains("cargo xtask demo"), "{error}");
    }

    #[test]
    fn root_does_not_work_in_the_folder_of_another_user() {
        let data = Path::new("/var/lib/gridhall");
        let error = check_owner(data, 998, 0).unwrap_err().to_string();
        assert!(error.contains("sudo -u '#998'"), "{error}");
        for (owner, us) in [(998, 998), (0, 0), (998, 1000)] {
            check_owner(data, owner, us).unwrap();
        }
    }
}
