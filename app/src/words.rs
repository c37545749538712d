//! The words of the screens in both languages: one line per word, Chinese first. A line that lacks a language, or a
//! placeholder that has no argument, does not compile.
//!
//! `say!(language, space.key, name = value)` gives a `String`, its arguments in the order of the table. Every function
//! that needs words takes the language as an argument, so that it can be tested without a browser.

/// `key(name, …): "中文 {name}", "English {name}";` per word; `key(count, …): "{count} 件", "{count} case" | "{count} cases";` where
/// English has another word for one. The first argument is the count then: a number, shown in groups of digits.
macro_rules! table {
    ($($key:ident($($name:ident),*): $zh:literal, $en:literal $(| $others:literal)?;)+) => {
        $(word! { $key($($name),*): $zh, $en $(| $others)? })+
    };
}

macro_rules! word {
    ($key:ident(): $zh:literal, $en:literal) => {
        pub fn $key(language: domain::rejection::Language) -> String {
            $crate::words::plain(language, $zh, $en)
        }
    };
    ($key:ident($count:ident $(, $name:ident)*): $zh:literal, $one:literal | $others:literal) => {
        pub fn $key(
            language: domain::rejection::Language,
            $count: impl $crate::words::Counted
            $(, $name: impl std::fmt::Display)*
        ) -> String {
            let is_one = $count.is_one();
            let $count = $count.shown();
            // A unit beside a number says the number nowhere.
            let _ = &$count;
            match language {
                domain::rejection::Language::Zh => format!($zh),
                domain::rejection::Language::En if is_one => format!($one),
                domain::rejection::Language::En => format!($others),
            }
        }
    };
    ($key:ident($($name:ident),+): $zh:literal, $en:literal) => {
        pub fn $key(language: domain::rejection::Language $(, $name: impl std::fmt::Display)+) -> String {
            match language {
                domain::rejection::Language::Zh => format!($zh),
                domain::rejection::Language::En => format!($en),
            }
        }
    };
}

/// How many there are of what a word names. A text is none: whether it says one, nobody could tell.
pub trait Counted: Copy {
    fn number(self) -> i64;

    fn is_one(self) -> bool {
        self.number() == 1
    }

    fn shown(self) -> String {
        crate::text::grouped(self.number())
    }
}

impl Counted for i64 {
    fn number(self) -> i64 {
        self
    }
}

impl Counted for u32 {
    fn number(self) -> i64 {
        self.into()
    }
}

impl Counted for usize {
    fn number(self) -> i64 {
        i64::try_from(self).unwrap_or(i64::MAX)
    }
}

/// A word without placeholders. Never inlined: there are hundreds, and what formats them would be in each.
#[inline(never)]
fn plain(language: Language, zh: &str, en: &str) -> String {
    match language {
        Language::Zh => zh,
        Language::En => en,
    }
    .to_owned()
}

macro_rules! say {
    ($language:expr, $space:ident.$key:ident $(, $name:ident = $value:expr)*) => {
        $crate::words::$space::$key($language $(, $value)*)
    };
}
pub(crate) use say;

/// A word without placeholders as a view that is written anew when the language changes: `says!(speaks, space.key)`. All of
/// them are of one type, and what shows it is in the programme once.
macro_rules! says {
    ($speaks:expr, $space:ident.$key:ident) => {
        $speaks.says($crate::words::$space::$key)
    };
}
pub(crate) use says;

pub use domain::rejection::Language;

pub mod common;
pub mod breaking;
pub mod department;
pub mod desk;
pub mod drill;
pub mod event;
pub mod map;
pub mod pair;
pub mod people;
pub mod replay;
pub mod video;
pub mod wall;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_has_another_word_for_one_and_chinese_has_not() {
        let said =
            |language| [0_usize, 1, 2, 1_234].map(|count| say!(language, wall.cases_here, count = count));
        assert_eq!(said(Language::En), ["0 cases here", "1 case here", "2 cases here", "1,234 cases here"]);
        assert_eq!(said(Language::Zh)[1], "此处 1 件案件");
        assert_eq!([1_i64, 6].map(|count| say!(Language::En, wall.cases, count = count)), ["case", "cases"]);
    }
}
