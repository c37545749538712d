//! What a machine's token may do (接入权限): narrower than a role, each stated when the token is made.
//!
//! What should not be here: which cases it may do it to (`scope`), and the roles of people (`role`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::code::DepartmentCode;
use crate::command::Command;
use crate::rejection::Rejection;
use crate::role::{Role, acts_for};

/// One thing a machine may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// 上报: reports cases.
    Report,
    /// 监督: accepts, files, checks and closes.
    Supervise,
    /// 指挥: dispatches, raises and closes whistle calls.
    Dispatch,
    /// 处置: finishes disposal, feeds back, answers whistle calls; for one department where the token has one.
    Dispose,
    /// 接入: takes cases over with their history from another system.
    TakeOver,
    /// 目录: defines areas, classes, sources and departments, and adopts lists of cameras.
    Define,
    /// 定位: reports where inspectors are.
    Locate,
    /// 读取: reads what lies in its scope.
    Read,
}

impl Grant {
    pub const ALL: [Self; 8] = [
        Self::Report,
        Self::Supervise,
        Self::Dispatch,
        Self::Dispose,
        Self::TakeOver,
        Self::Define,
        Self::Locate,
        Self::Read,
    ];

    /// What a token may that was made without saying: to bring things in and look at them, and no power over cases.
    pub const MODEST: [Self; 3] = [Self::Report, Self::Locate, Self::Read];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Supervise => "supervise",
            Self::Dispatch => "dispatch",
            Self::Dispose => "dispose",
            Self::TakeOver => "take_over",
            Self::Define => "define",
            Self::Locate => "locate",
            Self::Read => "read",
        }
    }

    /// Whether it alone allows the command. The powers of people are those of their roles.
    #[must_use]
    pub fn may(self, command: &Command) -> bool {
        let reports = matches!(command, Command::ReportCase { .. });
        match self {
            Self::Report => reports,
            Self::Supervise => !reports && Role::Supervisor.may(command),
            Self::Dispatch => !reports && Role::Dispatcher.may(command),
            Self::Dispose => !reports && Role::Department.may(command),
            Self::TakeOver => matches!(command, Command::TakeOverCase { .. }),
            Self::Define => matches!(command, Command::DefineCatalogue { .. }),
            Self::Locate | Self::Read => false,
        }
    }

    /// Whether these are supervision (监督) and disposal (处置) in one hand.
    #[must_use]
    pub fn holds_both_powers(grants: &BTreeSet<Self>) -> bool {
        grants.contains(&Self::Supervise)
            && (grants.contains(&Self::Dispatch) || grants.contains(&Self::Dispose))
    }

    /// The department that a token of these grants, which belongs to `own`, may send the command for alone; none where it
    /// may for all.
    pub fn acts_for(
        grants: &BTreeSet<Self>,
        own: Option<&DepartmentCode>,
        command: &Command,
    ) -> Result<Option<DepartmentCode>, Rejection> {
        let mut allowed = grants.iter().filter(|grant| grant.may(command)).peekable();
        if allowed.peek().is_none() {
            return acts_for(&[], own, command);
        }
        Ok(if allowed.any(|grant| *grant != Self::Dispose) { None } else { own.cloned() })
    }
}

impl std::str::FromStr for Grant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|grant| grant.name() == text.replace('-', "_")).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|grant| grant.name()).collect();
            format!("`{text}` is nothing a machine may; expected one of {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        serde_json::from_str(text).unwrap()
    }

    fn grants(list: &[Grant]) -> BTreeSet<Grant> {
        list.iter().copied().collect()
    }

    #[test]
    fn a_grant_allows_what_its_name_says_and_a_department_binds_disposal_alone() {
        let (finish, pass, send) = (
            command(r#"{"finish_disposal":{"case":1}}"#),
            command(r#"{"pass_check":{"case":1}}"#),
            command(r#"{"dispatch_case":{"case":1,"department":"urban"}}"#),
        );
        let urban: DepartmentCode = "urban".parse().unwrap();
        let dispose = grants(&[Grant::Dispose]);
        assert_eq!(Grant::acts_for(&dispose, Some(&urban), &finish), Ok(Some(urban.clone())));
        assert_eq!(Grant::acts_for(&dispose, None, &finish), Ok(None));
        assert!(matches!(Grant::acts_for(&dispose, None, &pass), Err(Rejection::NotAllowed { .. })));
        let dispatch = grants(&[Grant::Dispatch]);
        assert_eq!(Grant::acts_for(&dispatch, Some(&urban), &send), Ok(None));
        assert!(Grant::acts_for(&grants(&Grant::MODEST), None, &finish).is_err());
        let note = command(r#"{"note_case":{"case":1,"text":"看过"}}"#);
        assert_eq!(Grant::acts_for(&dispose, Some(&urban), &note), Ok(Some(urban)));
        let report = grants(&[Grant::Supervise, Grant::Dispatch, Grant::Dispose]);
        let text = r#"{"report_case":{"report":{"source":"hotline","class":"E01","area":"530102","address":"","description":"","place":null}}}"#;
        assert!(Grant::acts_for(&report, None, &command(text)).is_err(), "reporting is a grant of its own");
    }

    #[test]
    fn supervision_and_disposal_are_seen_in_one_hand() {
        assert!(Grant::holds_both_powers(&grants(&[Grant::Supervise, Grant::Dispose])));
        assert!(Grant::holds_both_powers(&grants(&[Grant::Supervise, Grant::Dispatch])));
        assert!(!Grant::holds_both_powers(&grants(&[Grant::Dispatch, Grant::Dispose, Grant::Report])));
        assert_eq!("take-over".parse(), Ok(Grant::TakeOver));
        assert!("everything".parse::<Grant>().is_err());
    }
}
