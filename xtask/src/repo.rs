//! Where things are: the repository, the build folders, and `cargo` as this program calls it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders of one checkout.
pub struct Repo {
    /// The checkout itself.
    pub root: PathBuf,
    /// Native build output: `CARGO_TARGET_DIR`, or `target` in the checkout.
    pub target: PathBuf,
    /// Browser build output: `GRIDHALL_WASM_TARGET_DIR`, or the same folder as the native output.
    pub wasm_target: PathBuf,
}

/// How code is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Debug,
    Release,
}

impl Repo {
    /// The checkout that `cargo xtask` was called in.
    pub fn find() -> Repo {
        // At run time first: one compiled xtask may be shared by several checkouts.
        let package =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package).parent().expect("xtask stands in the repository").to_path_buf();
        let folder = |name: &str| std::env::var_os(name).map(|folder| root.join(folder));
        let target = folder("CARGO_TARGET_DIR").unwrap_or_else(|| root.join("target"));
        let wasm_target = folder("GRIDHALL_WASM_TARGET_DIR").unwrap_or_else(|| target.clone());
        Repo { root, target, wasm_target }
    }

    /// Where the built site goes unless told otherwise.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// A binary of ours, as `cargo build` leaves it.
    pub fn binary(&self, name: &str, profile: Profile) -> PathBuf {
        self.target.join(profile.folder()).join(name)
    }

    /// `cargo` in the checkout, without the variables that belong to the run of xtask itself.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|own| text.starts_with(own))
            {
                cargo.env_remove(&name);
            }
        }
        cargo
    }
}

impl Profile {
    pub fn folder(self) -> &'static str {
        match self {
            Profile::Debug => "debug",
            Profile::Release => "release",
        }
    }

    /// What `cargo build` must be told.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Profile::Debug => &[],
            Profile::Release => &["--release"],
        }
    }
}
