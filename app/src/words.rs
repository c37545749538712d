//! The words of the screens in both languages: one line per word, Chinese first. A line that lacks a language, or a
//! placeholder that has no argument, does not compile.
//!
//! `say!(language, space.key, name = value)` gives a `String`, its arguments in the order of the table. Every function
//! that needs words takes the language as an argument, so that it can be tested without a browser.

/// `key(name, …): "中文 {name}", "English {name}";` per word.
macro_rules! table {
    ($($key:ident($($name:ident),*): $zh:literal, $en:literal;)+) => {
        $(pub fn $key(language: domain::rejection::Language $(, $name: impl std::fmt::Display)*) -> String {
            match language {
                domain::rejection::Language::Zh => format!($zh),
                domain::rejection::Language::En => format!($en),
            }
        })+
    };
}

macro_rules! say {
    ($language:expr, $space:ident.$key:ident $(, $name:ident = $value:expr)*) => {
        $crate::words::$space::$key($language $(, $value)*)
    };
}
pub(crate) use say;

pub use domain::rejection::Language;

pub mod common;
pub mod desk;
pub mod event;
pub mod pair;
pub mod people;
pub mod wall;
