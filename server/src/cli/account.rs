//! `gridhall account`: accounts of people.

use std::io::Read;

use anyhow::Context;
use clap::Subcommand;
use domain::code::{AreaCode, DepartmentCode};
use domain::moment::UtcMillis;
use domain::policy::Policy;
use domain::role::{Role, holds_both_powers};

use super::access;
use crate::access::{Account, COMMAND_LINE, Change, NewAccount};
use crate::clock::Clock;
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add an account, or change password, roles and department of one; the password comes from standard input
    ///
    /// The account's sessions end: a running server closes its pages within 4 s.
    Add {
        name: String,
        /// admin, supervisor, dispatcher, department or viewer; repeatable
        #[arg(long = "role", required = true)]
        roles: Vec<Role>,
        /// Code of the one department the account acts for; needed with the role department, and only there
        #[arg(long, value_name = "CODE")]
        department: Option<DepartmentCode>,
        /// See this area and what lies in it, and nothing else; repeatable. Without it and --see-department: the whole city,
        /// or with the role department alone its own cases
        #[arg(long = "area", value_name = "CODE")]
        areas: Vec<AreaCode>,
        /// See this department's cases and calls, and nothing else; repeatable, together with --area what either shows
        #[arg(long = "see-department", value_name = "CODE")]
        departments: Vec<DepartmentCode>,
    },
    /// List accounts: name, roles, department, and whether they are disabled or locked
    List,
    /// Let nobody sign in with the account, and end its sessions; a running server closes its pages within 4 s
    Disable { name: String },
    /// Let a disabled account sign in again
    Enable { name: String },
    /// Forget the wrong passwords that have locked the account; it may sign in at once
    Unlock { name: String },
    /// Remove the account and end its sessions; what it did stays in the event log under its name
    ///
    /// For people who leave, `disable` is better: nobody else can then get their name.
    Remove { name: String },
    /// What was done to accounts and tokens, by whom and when, oldest first
    History {
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Who acts, in the record of acts.
pub(super) fn by() -> String {
    format!("{COMMAND_LINE}, uid {}", rustix::process::getuid().as_raw())
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let access = access(config)?;
    let now = Clock::machine().now();
    let change = |name: &str, change: Change| -> anyhow::Result<()> {
        super::written(access.change_account(name, change, &by(), now).wait()?)?;
        println!("{}: `{name}`", change.done());
        Ok(())
    };
    match command {
        Command::Add { name, roles, department, areas, departments } => {
            anyhow::ensure!(
                !roles.iter().any(|role| matches!(role, Role::Kiosk | Role::Machine | Role::Inspector)),
                "kiosks and machines have tokens, not accounts: gridhall token add"
            );
            let policy = super::keeping::policy_in_force(config)?;
            access.set_powers_together(policy.powers_together.is_some());
            let scope = super::scope(areas, departments, &policy)?;
            check_department(&policy, department.as_ref())?;
            let mut password = String::new();
            std::io::stdin().take(1_000).read_to_string(&mut password).context("cannot read the password")?;
            let password = password.trim_end_matches(['\r', '\n']);
            let new =
                NewAccount { name: name.clone(), password: password.to_owned(), roles, department, scope };
            access.set_account(new, now).wait()?;
            access.note(&by(), "account set", &name, now).wait()?;
            let disabled = access.account(&name).wait()?.is_some_and(|account| account.disabled.is_some());
            let still = if disabled { "; it is still disabled, see `account enable`" } else { "" };
            println!("account `{name}` is set{still}");
        }
        Command::List => {
            let together = super::keeping::policy_in_force(config)?.powers_together.is_some();
            for account in access.accounts().wait()? {
                println!("{}", line(&account, together, now));
            }
        }
        Command::Disable { name } => change(&name, Change::Disable)?,
        Command::Enable { name } => change(&name, Change::Enable)?,
        Command::Unlock { name } => change(&name, Change::Unlock)?,
        Command::Remove { name } => change(&name, Change::Remove)?,
        Command::History { json } => {
            let acts = access.acts().wait()?;
            if json {
                println!("{}", serde_json::to_string_pretty(&acts).context("cannot print the acts")?);
            } else {
                acts.iter().for_each(|act| {
                    println!("{}\t{}\t{}\t{}", time(act.at), act.by, act.act, act.name);
                });
            }
        }
    }
    Ok(())
}

/// A department nobody knows would never be called; those of the policy are the ones a centre works with.
pub(super) fn check_department(policy: &Policy, department: Option<&DepartmentCode>) -> anyhow::Result<()> {
    let Some(department) = department else { return Ok(()) };
    let known: Vec<&str> = policy.departments.iter().map(|known| known.code.as_str()).collect();
    anyhow::ensure!(
        known.contains(&department.as_str()),
        "--department: `{department}` is not in the policy; expected one of {}",
        known.join(", ")
    );
    Ok(())
}

fn line(account: &Account, together: bool, now: UtcMillis) -> String {
    let mut line = format!("{}\t{:?}\tsees {}", account.name, account.roles, account.sees());
    if holds_both_powers(&account.roles) {
        line.push_str(if together {
            "\tholds supervision and disposal, as the policy's `powers_together` lets it"
        } else {
            "\tholds supervision and disposal, so it may use neither: give it one of the two with `account add`"
        });
    }
    if let Some(department) = &account.department {
        line.push_str(&format!("\tdepartment {department}"));
    }
    if let Some(since) = account.disabled {
        line.push_str(&format!("\tdisabled since {}", time(since)));
    }
    if let Some(until) = account.locked.filter(|until| *until > now) {
        line.push_str(&format!("\tlocked until {}", time(until)));
    }
    line
}

fn time(at: UtcMillis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| format!("{at:.0}"))
}
