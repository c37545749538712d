//! How sentences of both adoptions are made: what is counted, and the codes behind it. What they say stands with what changes.

use crate::rejection::Language;

/// Codes named in a sentence; the rest is counted.
const SAID_MAX: usize = 5;

/// Chinese, English of one, English of many; each begins after its number.
pub type Counted = [&'static str; 3];

/// A sentence about so many; none about nothing.
#[must_use]
pub fn counted(language: Language, count: u64, [zh, one, many]: Counted) -> Option<String> {
    match (language, count) {
        (_, 0) => None,
        (Language::Zh, count) => Some(format!("{count}{zh}")),
        (Language::En, 1) => Some(format!("1 {one}")),
        (Language::En, count) => Some(format!("{count} {many}")),
    }
}

/// The first codes in brackets; `count` is how many there are in all.
#[must_use]
pub fn named<'a>(language: Language, count: u64, codes: impl Iterator<Item = &'a str>) -> String {
    let first: Vec<&str> = codes.take(SAID_MAX).collect();
    let more = if count > first.len() as u64 { "…" } else { "" };
    match language {
        Language::Zh => format!("（{}{more}）", first.join("、")),
        Language::En if more.is_empty() => format!(" ({})", first.join(", ")),
        Language::En => format!(" ({}, …)", first.join(", ")),
    }
}

/// Sentences in one line.
#[must_use]
pub fn in_one_line(language: Language, sentences: &[String]) -> String {
    sentences.join(match language {
        Language::Zh => "；",
        Language::En => "; ",
    })
}
