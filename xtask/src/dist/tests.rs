//! The package's content, from stand-ins for what is built: which files, who may do what with them, what dpkg is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::pack::{self, Facts};
use super::tree::{self, Sources};
use crate::process;
use crate::repo::Repo;

/// A folder for one test, removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("gridhall-dist-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("site/pkg")).unwrap();
        for file in ["gridhall", "sim", "site/build.txt", "site/pkg/wall.js", "site/.gridhall-site"] {
            fs::write(folder.join(file), file).unwrap();
        }
        Self(folder)
    }

    fn sources(&self) -> Sources {
        Sources {
            repo: Repo::find().root,
            gridhall: self.0.join("gridhall"),
            sim: self.0.join("sim"),
            site: self.0.join("site"),
            commit: "0123abcd".to_owned(),
        }
    }

    fn packed(&self) -> pack::Packed {
        let facts = Facts {
            version: "1.2.3".to_owned(),
            architecture: "all".to_owned(),
            depends: "libc6 (>= 2.36)".to_owned(),
            epoch: "1700000000".to_owned(),
        };
        pack::pack(&self.sources(), &facts, &self.0.join("work"), &self.0.join("out")).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(program: &str, words: &[&str], file: &Path) -> String {
    process::output(Command::new(program).args(words).arg(file)).unwrap()
}

/// Path → mode and owner, of a listing as tar writes it.
fn listed(listing: &str) -> BTreeMap<String, (String, String)> {
    let parts = listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let entry = |parts: Vec<&str>| (parts[5].to_owned(), (parts[0].to_owned(), parts[1].to_owned()));
    parts.map(entry).collect()
}

#[test]
fn the_package_lies_where_the_program_looks_and_belongs_to_root() {
    let scratch = Scratch::new("deb");
    let package = scratch.packed().package;
    assert!(package.ends_with("gridhall_1.2.3_all.deb"), "{}", package.display());
    let files = listed(&said("dpkg-deb", &["--contents"], &package));
    for (path, mode) in [
        ("./usr/bin/gridhall", "-rwxr-xr-x"),
        ("./usr/lib/gridhall/sim", "-rwxr-xr-x"),
        ("./usr/share/gridhall/site/pkg/wall.js", "-rw-r--r--"),
        ("./usr/share/gridhall/policy.toml", "-rw-r--r--"),
        ("./usr/share/gridhall/demo/config.toml", "-rw-r--r--"),
        ("./usr/share/doc/gridhall/copyright", "-rw-r--r--"),
        ("./usr/share/doc/gridhall/GPL-3", "-rw-r--r--"),
        ("./usr/share/doc/gridhall/SOURCE", "-rw-r--r--"),
        ("./usr/share/doc/gridhall/howto/backup-and-restore.md", "-rw-r--r--"),
        ("./etc/gridhall/gridhall.toml", "-rw-r--r--"),
        ("./lib/systemd/system/gridhall.service", "-rw-r--r--"),
    ] {
        let (is, owner) =
            files.get(path).unwrap_or_else(|| panic!("{path} is not in the package: {files:?}"));
        assert_eq!((is.as_str(), owner.as_str()), (mode, "root/root"), "{path}");
    }
    let odd = files.iter().filter(|(_, (mode, owner))| {
        !["drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"].contains(&mode.as_str()) || owner != "root/root"
    });
    assert_eq!(odd.collect::<Vec<_>>(), [], "whatever umask the builder has");
    assert!(!files.keys().any(|path| path.contains("/.gridhall") || path.contains("/var/")), "{files:?}");
}

#[test]
fn dpkg_is_told_what_the_package_needs_and_whose_the_settings_are() {
    let scratch = Scratch::new("control");
    let package = scratch.packed().package;
    let depends = said("dpkg-deb", &["--field"], &package);
    for line in ["Package: gridhall", "Version: 1.2.3", "Depends: libc6 (>= 2.36), init-system-helpers"] {
        assert!(depends.contains(line), "{line} is not in: {depends}");
    }
    let control = scratch.0.join("control");
    process::run(Command::new("dpkg-deb").arg("--control").args([&package, &control])).unwrap();
    assert_eq!(fs::read_to_string(control.join("conffiles")).unwrap(), "/etc/gridhall/gridhall.toml\n");
    for script in ["postinst", "prerm", "postrm"] {
        let file = control.join(script);
        said("sh", &["-n"], &file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("\nset -e\n"), "{script} goes on after a failure");
        let removes = text.contains("rm -rf");
        assert_eq!(removes, script == "postrm", "{script}");
    }
}

/// Method: the scripts themselves are run as dpkg runs them, on folders of the test; what they would tell the machine goes nowhere.
#[test]
fn nothing_but_a_purge_touches_the_data_and_the_settings() {
    let scratch = Scratch::new("postrm");
    let (data, settings) = (scratch.0.join("data"), scratch.0.join("settings"));
    for folder in [&data, &settings] {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("kept"), "kept").unwrap();
    }
    let deaf = scratch.0.join("deaf");
    fs::create_dir_all(&deaf).unwrap();
    for program in ["getent", "userdel", "useradd", "systemctl", "deb-systemd-helper", "deb-systemd-invoke"] {
        std::os::unix::fs::symlink("/bin/true", deaf.join(program)).unwrap();
    }
    let path = format!("{}:{}", deaf.display(), std::env::var("PATH").unwrap());
    let run = |script: &str, word: &str| {
        let text = fs::read_to_string(Repo::find().root.join("packaging").join(script)).unwrap();
        let text = text.replace("/var/lib/gridhall", &data.to_string_lossy());
        let text = text.replace("/etc/gridhall", &settings.to_string_lossy());
        let text = text.replace("/run/", &format!("{}/run/", scratch.0.display()));
        let text = text.replace("/usr/bin/deb-systemd-helper", "/nowhere");
        process::output(Command::new("sh").args(["-c", &text, script, word]).env("PATH", &path)).unwrap()
    };
    let steps = [("prerm", &["remove", "upgrade", "deconfigure", "failed-upgrade"][..])];
    let after = ["remove", "upgrade", "failed-upgrade", "abort-install", "abort-upgrade", "disappear"];
    for (script, words) in steps.into_iter().chain([("postrm", &after[..])]) {
        for word in words {
            run(script, word);
            let there = data.join("kept").is_file() && settings.join("kept").is_file();
            assert!(there, "`{script} {word}` took them");
        }
    }
    assert!(run("postrm", "remove").contains("stay"), "whoever removes it hears what stays");
    let said = run("postrm", "purge");
    assert!(said.contains(&*data.to_string_lossy()), "purging does not say what it removes: {said}");
    assert!(!data.exists() && !settings.exists());
}

#[test]
fn the_archive_has_everything_in_one_folder_and_its_sum_is_right() {
    let scratch = Scratch::new("archive");
    let archive = scratch.packed().archive;
    let listing = said("tar", &["--list", "--file"], &archive);
    assert!(listing.lines().all(|path| path.starts_with("gridhall-1.2.3-all/")), "{listing}");
    for path in [
        "bin/gridhall",
        "lib/gridhall/sim",
        "share/gridhall/site/build.txt",
        "share/gridhall/examples/gridhall.toml",
    ] {
        assert!(
            listing.lines().any(|line| line == format!("gridhall-1.2.3-all/{path}")),
            "{path}: {listing}"
        );
    }
    let out = scratch.0.join("out");
    process::output(
        Command::new("sha256sum").current_dir(&out).args(["--check", "gridhall-1.2.3-all.sha256"]),
    )
    .unwrap();
}

#[test]
fn a_site_that_is_not_built_is_not_packed() {
    let scratch = Scratch::new("site");
    fs::remove_file(scratch.0.join("site/build.txt")).unwrap();
    let error = tree::machine(&scratch.sources(), &scratch.0.join("root")).unwrap_err();
    assert!(error.to_string().contains("is not a built site"), "{error}");
}

#[test]
fn the_unit_is_understood_and_leaves_the_service_little() {
    let scratch = Scratch::new("unit");
    let root = scratch.0.join("root");
    tree::machine(&scratch.sources(), &root).unwrap();
    let unit = root.join("lib/systemd/system/gridhall.service");
    let text = fs::read_to_string(&unit).unwrap();
    let has = |line: &str| text.lines().any(|each| each == line);
    // All of them by name: not every machine that tests has a systemd to weigh them.
    for line in [
        "User=gridhall",
        "StateDirectoryMode=0700",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "AmbientCapabilities=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateUsers=yes",
        "PrivateDevices=yes",
        "ProtectHostname=yes",
        "ProtectClock=yes",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelLogs=yes",
        "ProtectControlGroups=yes",
        "ProtectProc=invisible",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "RestrictNamespaces=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "LockPersonality=yes",
        "RemoveIPC=yes",
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
    ] {
        assert!(has(line), "{line} is not in the unit");
    }
    assert!(has("ExecStart=/usr/bin/gridhall --config /etc/gridhall/gridhall.toml serve"));
    // What systemd itself says of it, where there is one.
    let Ok(weighed) = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&unit)
        .output()
    else {
        return;
    };
    let words = [weighed.stdout, weighed.stderr].concat();
    assert!(weighed.status.success(), "{}", String::from_utf8_lossy(&words));
    // The program stands at its place in the root that is looked at, so that nothing may be said of the unit.
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--recursive-errors=no"]).arg(format!("--root={}", root.display()));
    let verified = verify.arg("gridhall.service").output().unwrap();
    let words = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(!words.contains("gridhall.service"), "{words}");
}

#[test]
fn a_version_that_dpkg_or_a_file_would_read_otherwise_is_refused() {
    for fine in ["0.1.0", "1.0~rc1", "0.0.9+build2"] {
        assert_eq!(super::version(fine).unwrap(), fine);
    }
    for wrong in ["", "v1", "1:2", "1_2", "1/../2", "1-2", "1 2"] {
        assert!(super::version(wrong).is_err(), "{wrong}");
    }
}
