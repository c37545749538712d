//! A drill (演练): an exercise in a world of its own, with its own clock, a director and a list of things that are to happen.
//!
//! What should be here: its stages, who may do what with it, when something is due. What should not: its cases and calls,
//! which are a hall's like any other's; where its record is kept (the server).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::CaseId;
use crate::moment::{SECOND_MS, UtcMillis};
use crate::rejection::Language;
use crate::role::Role;
use crate::text::{TextKind, check_stated};

pub mod answer;
pub mod breaking;
mod inject;
mod refusal;
#[cfg(test)]
pub(crate) mod tests;

pub use inject::{AFTER_S_MAX, Happening, INJECTS_MAX, Inject};
pub use refusal::DrillRefusal;

/// Drills that may be open at once: each is a hall with threads and files of its own, and one exercise at a time is usual.
pub const OPEN_MAX: usize = 4;
/// Drills that are kept in all, the stopped ones for looking back: beyond it the oldest stopped one must be taken away first.
pub const KEPT_MAX: usize = 64;

/// Which drill it is; as text `drill-` and eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DrillId(pub u32);

impl DrillId {
    /// Before the digits, in addresses and names of folders.
    pub const PREFIX: &str = "drill-";
}

impl std::fmt::Display for DrillId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:08x}", Self::PREFIX, self.0)
    }
}

impl std::str::FromStr for DrillId {
    type Err = ();

    /// One spelling each: an address that is another is nobody's.
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix(Self::PREFIX).ok_or(())?;
        let id = Self(u32::from_str_radix(digits, 16).map_err(|_| ())?);
        if id.to_string() == text { Ok(id) } else { Err(()) }
    }
}

/// How far a drill has come (演练阶段).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DrillStage {
    /// 待开始: its clock stands at the time it was prepared.
    Prepared,
    /// 进行中
    Running,
    /// 已暂停: its clock stands, and nothing comes due.
    Paused,
    /// 已结束: it can be looked at no more.
    Stopped,
}

impl DrillStage {
    /// The name in messages.
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Zh, Self::Prepared) => "待开始",
            (Language::Zh, Self::Running) => "进行中",
            (Language::Zh, Self::Paused) => "已暂停",
            (Language::Zh, Self::Stopped) => "已结束",
            (Language::En, Self::Prepared) => "prepared",
            (Language::En, Self::Running) => "running",
            (Language::En, Self::Paused) => "paused",
            (Language::En, Self::Stopped) => "stopped",
        }
    }
}

/// How fast a drill's clock goes, in thousandths of real time: 0 stands, 1,000 to 8,000 is ×1 to ×8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace(u32);

impl Pace {
    /// It stands.
    pub const STANDS: Self = Self(0);
    /// As time passes.
    pub const REAL: Self = Self(1_000);
    /// The fastest at which people can still take part.
    pub const MILLI_MAX: u32 = 8_000;

    /// None for what is neither 0 nor 1,000 to 8,000.
    #[must_use]
    pub fn from_milli(milli: u32) -> Option<Self> {
        (milli == 0 || (1_000..=Self::MILLI_MAX).contains(&milli)).then_some(Self(milli))
    }

    #[must_use]
    pub fn milli(self) -> u32 {
        self.0
    }
}

/// Whoever asks something of a drill.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    pub name: &'a str,
    pub roles: &'a [Role],
}

/// What a director asks of a drill that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Starts it, goes on, pauses it or changes how fast it goes.
    Pace(u32),
    /// Enters a case or a call by hand.
    Enter,
    /// Ends it. `leaving`: real cases without an answer that whoever ends it knows of.
    Stop { leaving: Vec<CaseId> },
}

/// With what a drill begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub id: DrillId,
    pub title: String,
    /// 导演: who prepared it, whose it is from then on.
    pub director: String,
    /// What they were allowed as then: what they had entered in their name is recorded with these.
    pub roles: Vec<Role>,
    /// When, by the live hall's clock; the drill's own clock stands there until it is started.
    pub at: UtcMillis,
    pub injects: Vec<Inject>,
}

/// What became of something that was to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// It was entered; a case's number.
    Entered { number: Option<String> },
    /// The drill's own rules refused it: the refusal's name.
    Refused { code: String },
}

/// What happened to a drill, in its own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrillEvent {
    Prepared(Prepared),
    /// It was started, paused, let go on, or goes faster or slower.
    Paced {
        pace: Pace,
        clock: UtcMillis,
        at: UtcMillis,
        by: String,
    },
    /// Number `inject` of its list, from 0, came to its time.
    Injected {
        inject: u16,
        clock: UtcMillis,
        became: Became,
    },
    /// It was running when the server ended, and stands since the server is back.
    CameBack {
        clock: UtcMillis,
        at: UtcMillis,
    },
    /// It was ended although these real cases had no answer.
    Stopped {
        clock: UtcMillis,
        at: UtcMillis,
        by: String,
        leaving: Vec<CaseId>,
    },
}

/// A drill as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    pub prepared: Prepared,
    pub stage: DrillStage,
    /// How fast its clock goes now.
    pub pace: Pace,
    /// When it was started, by its own clock.
    pub started: Option<UtcMillis>,
    /// Its own clock at the last event.
    pub clock: UtcMillis,
    /// It stands because the server ended under it, and nobody has let it go on since.
    pub came_back: bool,
    /// When it was ended, by the live hall's clock, and who ended it.
    pub stopped: Option<(UtcMillis, String)>,
    /// What became of its list so far, by number.
    pub injected: BTreeMap<u16, Became>,
}

impl Prepared {
    /// Says what is wrong with it, but for what the rules of the hall say of each thing that is to happen.
    pub fn check(&self) -> Result<(), DrillRefusal> {
        check_stated(&self.title, TextKind::Name).map_err(DrillRefusal::Title)?;
        if self.injects.len() > INJECTS_MAX {
            return Err(DrillRefusal::TooManyInjects { are: self.injects.len() });
        }
        self.injects.iter().enumerate().try_for_each(|(index, inject)| inject.check(index))
    }
}

impl Drill {
    #[must_use]
    pub fn new(prepared: Prepared) -> Self {
        let clock = prepared.at;
        Self {
            prepared,
            stage: DrillStage::Prepared,
            pace: Pace::STANDS,
            started: None,
            clock,
            came_back: false,
            stopped: None,
            injected: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stage != DrillStage::Stopped
    }

    /// Whether they lead it: who prepared it, and the administrator, should that person be away.
    #[must_use]
    pub fn is_led_by(&self, asker: &Asker<'_>) -> bool {
        asker.name == self.prepared.director || asker.roles.contains(&Role::Admin)
    }

    /// What an ask does, or why it is refused. Nothing where it is so already, and for what is entered by hand, which is
    /// its hall's to record. `unanswered`: real first-level cases nobody has answered; `clock` its own time, `at` the live hall's.
    pub fn decide(
        &self,
        ask: &Ask,
        asker: &Asker<'_>,
        unanswered: &[CaseId],
        (clock, at): (UtcMillis, UtcMillis),
    ) -> Result<Option<DrillEvent>, DrillRefusal> {
        if !self.is_led_by(asker) {
            return Err(DrillRefusal::NotItsDirector { director: self.prepared.director.clone() });
        }
        if !self.is_open() {
            return Err(DrillRefusal::IsStopped { title: self.prepared.title.clone() });
        }
        let by = asker.name.to_owned();
        match ask {
            Ask::Enter => Ok(None),
            Ask::Pace(milli) => {
                let pace = Pace::from_milli(*milli).ok_or(DrillRefusal::Pace { milli: *milli })?;
                let is_so = pace == self.pace && !(self.came_back && pace == Pace::STANDS);
                Ok((!is_so).then_some(DrillEvent::Paced { pace, clock, at, by }))
            }
            Ask::Stop { leaving } => {
                let unsaid: Vec<CaseId> =
                    unanswered.iter().copied().filter(|case| !leaving.contains(case)).collect();
                if !unsaid.is_empty() {
                    return Err(DrillRefusal::Unanswered { cases: unsaid });
                }
                Ok(Some(DrillEvent::Stopped { clock, at, by, leaving: unanswered.to_vec() }))
            }
        }
    }

    /// Takes what happened; it was decided before.
    pub fn apply(&mut self, event: &DrillEvent) {
        match event {
            DrillEvent::Prepared(prepared) => *self = Self::new(prepared.clone()),
            DrillEvent::Paced { pace, clock, at: _, by: _ } => {
                self.clock = *clock;
                self.pace = *pace;
                self.came_back = false;
                if *pace == Pace::STANDS {
                    // One that was never started is not paused.
                    self.stage = self.started.map_or(DrillStage::Prepared, |_| DrillStage::Paused);
                } else {
                    self.stage = DrillStage::Running;
                    self.started.get_or_insert(*clock);
                }
            }
            DrillEvent::Injected { inject, clock, became } => {
                self.clock = *clock;
                self.injected.insert(*inject, became.clone());
            }
            DrillEvent::CameBack { clock, at: _ } => {
                self.clock = *clock;
                self.pace = Pace::STANDS;
                self.stage = DrillStage::Paused;
                self.came_back = true;
            }
            DrillEvent::Stopped { clock, at, by, leaving: _ } => {
                self.clock = *clock;
                self.pace = Pace::STANDS;
                self.stage = DrillStage::Stopped;
                self.came_back = false;
                self.stopped = Some((*at, by.clone()));
            }
        }
    }

    /// What happens when the server is back: a drill that was running stands at the last time known of its clock.
    #[must_use]
    pub fn come_back(&self, known: UtcMillis, at: UtcMillis) -> Option<DrillEvent> {
        let clock = self.clock.max(known);
        (self.stage == DrillStage::Running).then_some(DrillEvent::CameBack { clock, at })
    }

    /// When number `inject` of its list is to happen, by its own clock; none before it is started.
    fn happens(&self, inject: &Inject) -> Option<UtcMillis> {
        Some(self.started?.plus(i64::from(inject.after_s) * SECOND_MS))
    }

    /// What is still to happen, with its number and its time, in the order of the list.
    fn waiting(&self) -> impl Iterator<Item = (u16, UtcMillis)> {
        let numbered = (0u16..).zip(&self.prepared.injects);
        numbered.filter(|(number, _)| !self.injected.contains_key(number)).filter_map(|(number, inject)| {
            let happens = self.happens(inject)?;
            Some((number, happens))
        })
    }

    /// Numbers of what has come to its time, the earliest first; nothing while the drill does not run.
    #[must_use]
    pub fn due(&self, clock: UtcMillis) -> Vec<u16> {
        if self.stage != DrillStage::Running {
            return Vec::new();
        }
        let mut due: Vec<(UtcMillis, u16)> = self
            .waiting()
            .filter(|(_, happens)| *happens <= clock)
            .map(|(number, happens)| (happens, number))
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, number)| number).collect()
    }

    /// When the next of its list is to happen, by its own clock; none while it does not run, and after the last.
    #[must_use]
    pub fn next_due(&self) -> Option<UtcMillis> {
        let runs = self.stage == DrillStage::Running;
        runs.then(|| self.waiting().map(|(_, happens)| happens).min()).flatten()
    }
}
