//! How a case ended (结案方式, `reference/domain.md` §2.6). What should not be here: which step ends it so (`step::table`).

use serde::{Deserialize, Serialize};

use crate::rejection::Language;

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// 正常结案: went round to its end in time.
    Normal,
    /// 超时结案: went round to its end, and a disposal of it was done late.
    Overdue,
    /// 差错结案: went round, and was found to have been filed or sent by mistake.
    Faulty,
    /// 特殊结案: cannot be disposed of as the standard has it, for a stated reason.
    Special,
    /// 强制结案: ended by supervision before it had gone round.
    Forced,
    /// 作废: was no case, such as one reported twice.
    Void,
    /// 不予受理: the report was not taken in.
    NotAccepted,
    /// 不予立案: the report did not become a case.
    NotFiled,
}

impl Closing {
    pub const ALL: [Self; 8] = [
        Self::Normal,
        Self::Overdue,
        Self::Faulty,
        Self::Special,
        Self::Forced,
        Self::Void,
        Self::NotAccepted,
        Self::NotFiled,
    ];

    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Zh, Self::Normal) => "正常结案",
            (Language::Zh, Self::Overdue) => "超时结案",
            (Language::Zh, Self::Faulty) => "差错结案",
            (Language::Zh, Self::Special) => "特殊结案",
            (Language::Zh, Self::Forced) => "强制结案",
            (Language::Zh, Self::Void) => "作废",
            (Language::Zh, Self::NotAccepted) => "不予受理",
            (Language::Zh, Self::NotFiled) => "不予立案",
            (Language::En, Self::Normal) => "closed in time",
            (Language::En, Self::Overdue) => "closed late",
            (Language::En, Self::Faulty) => "closed as faulty",
            (Language::En, Self::Special) => "closed specially",
            (Language::En, Self::Forced) => "closed by force",
            (Language::En, Self::Void) => "void",
            (Language::En, Self::NotAccepted) => "not accepted",
            (Language::En, Self::NotFiled) => "not filed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_end_has_words_of_its_own_in_both_languages() {
        for language in [Language::Zh, Language::En] {
            let words: std::collections::BTreeSet<&str> = Closing::ALL.map(|how| how.words(language)).into();
            assert_eq!(words.len(), Closing::ALL.len());
        }
    }
}
