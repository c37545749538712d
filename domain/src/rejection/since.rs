//! What came into force between a dry run and the adoption it was read for.
//!
//! What should not be here: who compares the versions (`state::adopt`, `state::cameras`).

use super::Language;
use crate::adoption::Took;
use crate::moment::UtcOffset;

/// What is adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoptable {
    Policy,
    Cameras,
}

impl Adoptable {
    fn words(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Policy, Language::Zh) => "规则",
            (Self::Policy, Language::En) => "policy",
            (Self::Cameras, Language::Zh) => "摄像机名录",
            (Self::Cameras, Language::En) => "list of cameras",
        }
    }
}

/// Another version is in force than the one the adoption was held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedSince {
    pub what: Adoptable,
    /// Version it was held against.
    pub upon: u64,
    /// Version in force.
    pub is: u64,
    /// Who brought that one into force, and when; none for what the store began with.
    pub took: Option<Took>,
    pub offset: UtcOffset,
}

impl AdoptedSince {
    pub(super) fn words(&self, language: Language) -> String {
        let (what, upon, is) = (self.what.words(language), self.upon, self.is);
        let in_force = match (&self.took, language) {
            (Some(took), Language::Zh) => {
                format!("{}已于 {} 启用{what}第 {is} 版", took.by, self.time(took))
            }
            (Some(took), Language::En) => {
                format!("{} adopted version {is} of the {what} on {}", took.by, self.time(took))
            }
            (None, Language::Zh) => format!("现行的是{what}第 {is} 版"),
            (None, Language::En) => format!("version {is} of the {what} is in force"),
        };
        match language {
            Language::Zh => {
                format!("试运行对照的是第 {upon} 版，而{in_force}；未作任何变更，请重新试运行后再启用")
            }
            Language::En => format!(
                "this was held against version {upon}, and {in_force}; nothing was changed, make the dry run again first"
            ),
        }
    }

    fn time(&self, took: &Took) -> String {
        let time = took.at.local(self.offset);
        format!("{} {:02}:{:02}", time.date, time.hour(), time.minute())
    }
}
