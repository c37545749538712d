//! Whoever sends a request, once proved: what they may do and see.
//!
//! What should not be here: how it is proved (`access.rs`), which command a role allows (`domain::role`).

use std::collections::BTreeSet;

use domain::code::DepartmentCode;
use domain::command::Command;
use domain::event::{By, Door};
use domain::grant::Grant;
use domain::rejection::Rejection;
use domain::role::{Role, acts_for};
use domain::scope::Scope;
use serde::Serialize;

/// Whoever sends a request, once proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// Name in the event log: the account's or the token's.
    pub name: String,
    pub roles: Vec<Role>,
    /// The one department the account acts for.
    pub department: Option<DepartmentCode>,
    /// What it may see, and act upon.
    pub scope: Scope,
    /// What a machine may do; none for people, and for tokens from before they were narrow.
    pub may: Option<BTreeSet<Grant>>,
    /// Its account holds supervision and disposal, which are kept apart here: `roles` has neither.
    pub powers_withheld: bool,
    /// How it was proved.
    pub by: Proof,
}

/// How an actor was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A session cookie: writes need the CSRF token, sockets the right Origin.
    Session { csrf: String },
    /// A bearer token in a header: a browser does not send it by itself.
    Token,
}

impl Actor {
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Who it is, as the log keeps it.
    #[must_use]
    pub fn recorded(&self) -> By {
        let door = match self.by {
            Proof::Session { .. } => Door::Desk,
            Proof::Token => Door::Api,
        };
        By { name: self.name.clone(), roles: self.roles.clone(), door }
    }

    /// Whether a machine may do something that is no command; everybody else is asked for roles.
    #[must_use]
    pub fn is_granted(&self, grant: Grant) -> bool {
        self.may.as_ref().is_none_or(|may| may.contains(&grant))
    }

    /// The department that the command may be sent for alone; none where it may be sent for all.
    pub fn acts_for(&self, command: &Command) -> Result<Option<DepartmentCode>, Rejection> {
        match &self.may {
            Some(may) => Grant::acts_for(may, self.department.as_ref(), command),
            None => acts_for(&self.roles, self.department.as_ref(), command),
        }
    }
}
