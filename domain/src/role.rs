//! Who may do what. Supervision (监督) and disposal (处置) are separate powers (高位监督、监管分离,
//! `reference/domain.md` SYS-13): whoever dispatches does not judge the result.

use serde::{Deserialize, Serialize};

use crate::case::Power;
use crate::code::DepartmentCode;
use crate::command::Command;
use crate::rejection::Rejection;

/// A role of the centre's own division of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 系统管理员: accounts, tokens, catalogue. Not a power over cases by itself.
    Admin,
    /// 监督席 (受理、立案、核查、结案): supervision.
    Supervisor,
    /// 指挥席 (派遣、吹哨): disposal.
    Dispatcher,
    /// 责任单位: finishes disposal, gives feedback, responds to whistles, for the one department the account belongs to.
    Department,
    /// 领导与观摩: reads.
    Viewer,
    /// 大屏终端: reads what a wall shows.
    Kiosk,
    /// 监督员手机: reports where its inspector is, and nothing else.
    Inspector,
    /// 接入系统: another system that files, moves and reports on its users' behalf.
    Machine,
}

impl Role {
    pub const ALL: [Self; 8] = [
        Self::Admin,
        Self::Supervisor,
        Self::Dispatcher,
        Self::Department,
        Self::Viewer,
        Self::Kiosk,
        Self::Inspector,
        Self::Machine,
    ];

    /// Whether the role alone allows the command.
    #[must_use]
    pub fn may(self, command: &Command) -> bool {
        match command {
            Command::ReportCase { .. } => {
                matches!(self, Self::Supervisor | Self::Dispatcher | Self::Department | Self::Machine)
            }
            Command::Step(take) => self.holds(take.step.power),
            Command::RaiseWhistle { .. } | Command::CloseWhistle { .. } => self.holds(Power::Dispatch),
            Command::RespondToWhistle { .. } => self.holds(Power::Department),
            Command::ClaimCase { .. } | Command::NoteCase { .. } | Command::AttachFile { .. } => {
                matches!(self, Self::Supervisor | Self::Dispatcher | Self::Department | Self::Machine)
            }
            Command::TakeOverCase { .. } => matches!(self, Self::Admin | Self::Machine),
            Command::DefineCatalogue { .. } => matches!(self, Self::Admin | Self::Machine),
            // The timer's alone.
            Command::PassDeadlines => false,
        }
    }

    /// Whether the role alone allows the steps of a power. Whoever sends may also do what the called departments do.
    #[must_use]
    pub fn holds(self, power: Power) -> bool {
        match power {
            Power::Supervision => matches!(self, Self::Supervisor | Self::Machine),
            Power::Dispatch => matches!(self, Self::Dispatcher | Self::Machine),
            Power::Department => matches!(self, Self::Department | Self::Dispatcher | Self::Machine),
        }
    }
}

/// Whether these are supervision (监督) and disposal (处置) in one hand: whoever dispatches does not judge the result.
#[must_use]
pub fn holds_both_powers(roles: &[Role]) -> bool {
    roles.contains(&Role::Supervisor)
        && roles.iter().any(|role| matches!(role, Role::Dispatcher | Role::Department))
}

/// What is left of roles that may not be in one hand: neither of the two powers, and at least reading.
#[must_use]
pub fn without_powers(roles: &[Role]) -> Vec<Role> {
    let powers = [Role::Supervisor, Role::Dispatcher, Role::Department];
    let left: Vec<Role> = roles.iter().copied().filter(|role| !powers.contains(role)).collect();
    if left.is_empty() { vec![Role::Viewer] } else { left }
}

/// The department that somebody with these roles, who belongs to `own`, may send the command for alone; none where a
/// role allows it for all.
pub fn acts_for(
    roles: &[Role],
    own: Option<&DepartmentCode>,
    command: &Command,
) -> Result<Option<DepartmentCode>, Rejection> {
    let mut allowed = roles.iter().filter(|role| role.may(command)).peekable();
    if allowed.peek().is_none() {
        return Err(Rejection::NotAllowed { command: command.name(), act: command.act() });
    }
    // A report is nobody's own business: an account whose department is not known may send it as well.
    let anyone = matches!(command, Command::ReportCase { .. });
    if anyone || allowed.any(|role| *role != Role::Department) {
        return Ok(None);
    }
    own.cloned().map(Some).ok_or(Rejection::NoDepartment)
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "admin" => Self::Admin,
            "supervisor" => Self::Supervisor,
            "dispatcher" => Self::Dispatcher,
            "department" => Self::Department,
            "viewer" => Self::Viewer,
            "kiosk" => Self::Kiosk,
            "inspector" => Self::Inspector,
            "machine" => Self::Machine,
            _ => {
                return Err(format!(
                    "`{text}` is not a role; expected admin, supervisor, dispatcher, department, viewer, kiosk, inspector or machine"
                ));
            }
        })
    }
}
