//! How far the views are laid out, as a value for readiness, metrics and screens.

use domain::moment::UtcMillis;
use serde::Serialize;

/// What the views' thread is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Doing {
    /// Every closing of the log is laid out.
    Whole,
    /// Older months are being laid out; lists reach back as far as that.
    Building,
    /// The event log's commits are slow; the build waits for them.
    HeldUp,
    /// The disk has no room for more; what is laid out serves.
    NoRoom,
    /// Less than so many MiB are free, and these are kept for the event log; what is laid out serves.
    Reserved { mib: u32 },
    /// Something else went wrong; it is tried again.
    Failed { why: String },
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Progress {
    #[serde(flatten)]
    pub doing: Doing,
    /// Months that have closed cases laid out.
    pub months: u32,
    /// Events laid out, and those of the log.
    pub events: u64,
    pub events_of: u64,
    /// When the build began.
    #[schema(value_type = Option<i64>)]
    pub since: Option<UtcMillis>,
    /// Views of this older version serve meanwhile.
    pub serving_older: Option<u32>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { doing: Doing::Building, months: 0, events: 0, events_of: 0, since: None, serving_older: None }
    }
}

impl Progress {
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.doing == Doing::Whole
    }

    /// Per cent of the log whose closed cases are laid out; 100 only when all of it is.
    #[must_use]
    pub fn percent(&self) -> u8 {
        let percent = (self.events * 100).checked_div(self.events_of).unwrap_or(0);
        if self.is_whole() { 100 } else { u8::try_from(percent).unwrap_or(99).min(99) }
    }

    /// The same in words, for the log of the server.
    #[must_use]
    pub fn words(&self) -> String {
        let percent = self.percent();
        match &self.doing {
            Doing::Whole => "closed cases are laid out whole".to_owned(),
            Doing::Building => format!("closed cases are laid out to {percent} %, {} months", self.months),
            Doing::HeldUp => {
                format!("closed cases are laid out to {percent} %; the build waits for slow commits")
            }
            Doing::NoRoom => {
                format!("closed cases are laid out to {percent} %; the disk has no room for more")
            }
            Doing::Reserved { mib } => format!(
                "closed cases are laid out to {percent} %; less than {mib} MiB are free, which are kept for the event log (store.reserve_mib)"
            ),
            Doing::Failed { why } => {
                format!("closed cases are laid out to {percent} %; it failed and is tried again: {why}")
            }
        }
    }
}
