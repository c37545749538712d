//! The words of the screens in both languages: one line per word, Chinese first. A line that lacks a language, or a
//! placeholder that has no argument, does not compile.
//!
//! `say!(language, space.key, name = value)` gives a `String`, its arguments in the order of the table. Every function
//! that needs words takes the language as an argument, so that it can be tested without a browser.

/// `key(name, …): "中文 {name}", "English {name}";` per word.
macro_rules! table {
    ($($key:ident($($name:ident),*): $zh:literal, $en:literal;)+) => {
        $(word! { $key($($name),*): $zh, $en })+
    };
}

macro_rules! word {
    ($key:ident(): $zh:literal, $en:literal) => {
        pub fn $key(language: domain::rejection::Language) -> String {
            $crate::words::plain(language, $zh, $en)
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
pub mod desk;
pub mod drill;
pub mod event;
pub mod map;
pub mod pair;
pub mod people;
pub mod replay;
pub mod video;
pub mod wall;
