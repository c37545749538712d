//! Accounts at a start: opened, made where a hall begins, and never made anew where something tells that there were some.
//!
//! What should not be here: what an account is and may (`access`).

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use domain::moment::UtcMillis;

use crate::access::{self, Access};
use crate::events::Reader;
use crate::folder::{POSITIONS, StoreError, is_gone};

/// Accounts and tokens in a data folder.
const ACCOUNTS: &str = "access.db";

/// Opens the accounts of a hall whose log ends at `seq`. Where there are none although somebody has been let in before, they
/// were lost: that is no first start, and is refused before anything is written.
pub(super) fn open(dir: &Path, config: &access::Config, log: &Reader, seq: u64) -> anyhow::Result<Access> {
    let path = dir.join(ACCOUNTS);
    let lost = |trace: &str| {
        format!(
            "`{}` has no accounts, but the log beside it has {seq} events and {trace}: this is no first start, the accounts were lost. Keep a \
             copy of the folder. Then put `{ACCOUNTS}` of the newest backup there (`gridhall restore BACKUP ELSEWHERE` makes a folder with it); \
             or, without one, begin anew with `gridhall --data-dir {} account add NAME --role admin`: tokens, paired walls and sessions of \
             before are then gone",
            path.display(),
            dir.display()
        )
    };
    if is_gone(&path)
        && let Some(trace) = trace(dir, log, seq)?
    {
        bail!(lost(trace));
    }
    let access = Access::open(dir, config.clone())?;
    if access.has_no_account()
        && let Some(trace) = trace(dir, log, seq)?
    {
        bail!(lost(trace));
    }
    Ok(access)
}

/// What tells that a hall has had accounts: none of a new one, nor of one whose events were imported before its first start.
fn trace(dir: &Path, log: &Reader, seq: u64) -> Result<Option<&'static str>, StoreError> {
    if seq == 0 {
        return Ok(None);
    }
    if dir.join(POSITIONS).exists() {
        return Ok(Some("a server has run here before"));
    }
    Ok(log.somebody_was_let_in()?.then_some("people or machines were let in before"))
}

/// Makes the first accounts, and says what is to be mended of those that are there.
pub(super) async fn introduce(access: &Access, dir: &Path, now: UtcMillis) -> anyhow::Result<()> {
    let first = access.bootstrap(now).await?;
    if !first.is_empty() {
        let lines = first
            .iter()
            .map(|made| format!("account: {}\npassword: {}\n", made.name, made.password.expose()));
        let file = dir.join("bootstrap-admin.txt");
        write_private(&file, &lines.collect::<Vec<_>>().join("\n"))?;
        let names: Vec<&str> = first.iter().map(|made| made.name).collect();
        tracing::warn!(file = %file.display(), accounts = names.join(", "), "first start: accounts made, their passwords are in this file; change them and delete the file");
    }
    let (both, wide) = access.to_mend();
    if !both.is_empty() {
        tracing::warn!(
            accounts = both.join(", "),
            "accounts hold supervision and disposal in one hand, which this centre keeps apart: they may use neither. Give each one of the two \
             (`gridhall account add NAME --role …`), or state `powers_together` in the policy"
        );
    }
    if !wide.is_empty() {
        tracing::warn!(
            tokens = wide.join(", "),
            "tokens of machines from before they were narrow may do everything; make them anew with what they need (`gridhall token add NAME --role machine --may … --replace`)"
        );
    }
    Ok(())
}

/// Writes a file that only the owner may read.
pub(super) fn write_private(file: &Path, text: &str) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        if file.exists() {
            std::fs::remove_file(file)?;
        }
        let mut open = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        open.write_all(text.as_bytes())
    };
    write().with_context(|| format!("cannot write `{}`", file.display()))
}
