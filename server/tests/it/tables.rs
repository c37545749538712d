//! `gridhall policy tables` as an administrator meets it: what it says, what it writes, and what it leaves alone.

use std::path::Path;
use std::process::{Command as Process, Output};

use domain::policy::Policy;

fn run(folder: &Path, arguments: &[&str]) -> (Output, String) {
    let mut process = Process::new(env!("CARGO_BIN_EXE_gridhall"));
    process
        .current_dir(folder)
        .arg("--data-dir")
        .arg(folder.join("data"))
        .args(["policy", "tables"])
        .args(arguments);
    let output = process.output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output, said)
}

const SOUND: &str =
    "类型,小类代码,小类,立案条件,处置时限\n部件,P01-90,路名牌,倾斜,5天\n部件,P01-91,座椅,破损,3天\n";

#[test]
fn tables_are_checked_and_a_policy_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("sound.csv"), SOUND).unwrap();
    std::fs::write(file("bad.csv"), SOUND.replace("5天", "5旬")).unwrap();

    let (checked, said) = run(folder.path(), &["check", "sound.csv"]);
    assert!(checked.status.success() && said.contains("classes 2  conditions 2"), "{said}");
    let (checked, said) = run(folder.path(), &["check", "bad.csv", "sound.csv"]);
    assert!(!checked.status.success() && said.contains("bad.csv cell E2: \"5旬\""), "{said}");
    let (checked, said) = run(folder.path(), &["check", "none.csv", "--json"]);
    assert!(!checked.status.success() && said.contains("\"file\": \"none.csv\""), "{said}");
    assert!(!file("data").exists(), "nothing is made by asking");

    let (refused, said) = run(folder.path(), &["take", "bad.csv", "--into", "next.toml"]);
    assert!(!refused.status.success() && !file("next.toml").exists(), "{said}");
    let (taken, said) = run(folder.path(), &["take", "bad.csv", "--into", "part.toml", "--leave-out-bad"]);
    assert!(taken.status.success() && said.contains("left out 1"), "{said}");
    let read =
        |name: &str| -> Policy { toml::from_str(&std::fs::read_to_string(file(name)).unwrap()).unwrap() };
    let has = |policy: &Policy, code: &str| policy.classes.iter().any(|class| class.code.as_str() == code);
    assert!(has(&read("part.toml"), "P01-91") && !has(&read("part.toml"), "P01-90"));

    let (taken, said) =
        run(folder.path(), &["take", "sound.csv", "--into", "next.toml", "--source", "昆城管〔2027〕3号"]);
    assert!(taken.status.success(), "{said}");
    let policy = read("next.toml");
    assert_eq!(policy.check(), Ok(()));
    assert_eq!(policy.stated_source, "昆城管〔2027〕3号");
    assert!(has(&policy, "P01-90") && has(&policy, "E01-10"));
    let (again, said) = run(folder.path(), &["take", "sound.csv", "--into", "next.toml"]);
    assert!(!again.status.success() && said.contains("there already"), "{said}");
    assert_eq!(read("next.toml"), policy);
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}
