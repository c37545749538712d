//! The spelling of closed sets in stored events. Apart from the domain's own keys, so that those may change.

use domain::case::{Priority, Stage};
use domain::catalogue::{AreaLevel, ClassKind};
use domain::clock::{Counts, Phase, Unit};
use domain::event::Door;
use domain::file::{FileKind, Media};
use domain::role::Role;
use domain::whistle::WhistleLevel;

/// A closed set with one stored word for each member.
pub trait Spelt: Sized {
    fn word(self) -> &'static str;
    fn of(word: &str) -> Option<Self>;
}

macro_rules! spelt {
    ($set:ident { $($member:ident = $word:literal),+ $(,)? }) => {
        impl Spelt for $set {
            fn word(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)+
                }
            }

            fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$member),)+
                    _ => None,
                }
            }
        }
    };
}

spelt!(Stage {
    Accept = "accept",
    File = "file",
    Dispatch = "dispatch",
    Dispose = "dispose",
    Feedback = "feedback",
    Check = "check",
    Close = "close",
});
spelt!(Priority { First = "first", Second = "second", Third = "third", Ordinary = "ordinary" });
spelt!(Unit { Minute = "minute", Hour = "hour", Day = "day" });
spelt!(Counts { Through = "through", Working = "working" });
spelt!(Phase { Running = "running", Nearing = "nearing", Overdue = "overdue" });
spelt!(WhistleLevel { District = "district", Street = "street", Community = "community" });
spelt!(AreaLevel {
    City = "city",
    District = "district",
    Street = "street",
    Community = "community",
    Grid = "grid",
});
spelt!(ClassKind { Event = "event", Part = "part", Complaint = "complaint" });
spelt!(FileKind { PhotoBefore = "photo_before", PhotoAfter = "photo_after", Document = "document" });
spelt!(Media { Jpeg = "jpeg", Pdf = "pdf", Docx = "docx", Xlsx = "xlsx" });
spelt!(Door {
    Desk = "desk",
    Api = "api",
    Import = "import",
    Timer = "timer",
    Cli = "cli",
    Unknown = "unknown",
});
spelt!(Role {
    Admin = "admin",
    Supervisor = "supervisor",
    Dispatcher = "dispatcher",
    Department = "department",
    Viewer = "viewer",
    Kiosk = "kiosk",
    Inspector = "inspector",
    Machine = "machine",
});
