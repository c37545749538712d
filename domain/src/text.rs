//! Free text from outside: how long each kind may be and which characters it may hold.
//!
//! The one rule for commands, the catalogue, the policy, accounts and devices. What should not be here: codes, whose
//! letters are stricter (`code`), and how text is shown.

use crate::rejection::Language;

/// What a text is, which says how much of it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// A note or description of a few sentences: 4,000 bytes, line breaks and tabs allowed.
    Note,
    /// One line, such as an address or a title: 1,000 bytes.
    Line,
    /// A name of a person, place or thing: 300 bytes, which is 100 Chinese characters.
    Name,
    /// An identifier of another system: 128 bytes.
    Id,
}

impl TextKind {
    #[must_use]
    pub const fn bytes_max(self) -> usize {
        match self {
            Self::Note => 4_000,
            Self::Line => 1_000,
            Self::Name => 300,
            Self::Id => 128,
        }
    }

    fn has_lines(self) -> bool {
        match self {
            Self::Note => true,
            Self::Line | Self::Name | Self::Id => false,
        }
    }
}

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("is empty")]
    Empty,
    #[error("has {bytes} bytes; at most {most} are taken")]
    TooLong { bytes: usize, most: usize },
    #[error("contains the control character U+{:04X}", u32::from(*.0))]
    Control(char),
    #[error("contains U+{:04X}, which turns the direction of writing", u32::from(*.0))]
    Direction(char),
    #[error("has no visible character")]
    Invisible,
}

impl TextError {
    /// The reason for people.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        match (language, self) {
            (Language::En, _) => self.to_string(),
            (Language::Zh, Self::Empty) => "为空".to_owned(),
            (Language::Zh, Self::TooLong { bytes, most }) => format!("有 {bytes} 字节，至多 {most} 字节"),
            (Language::Zh, Self::Control(bad)) => format!("含控制字符 U+{:04X}", u32::from(*bad)),
            (Language::Zh, Self::Direction(bad)) => {
                format!("含改变书写方向的字符 U+{:04X}", u32::from(*bad))
            }
            (Language::Zh, Self::Invisible) => "没有可见的字符".to_owned(),
        }
    }
}

/// Checks a text that may be empty.
pub fn check_text(text: &str, kind: TextKind) -> Result<(), TextError> {
    if text.len() > kind.bytes_max() {
        return Err(TextError::TooLong { bytes: text.len(), most: kind.bytes_max() });
    }
    if let Some(bad) = text.chars().find(|c| is_control(*c) && !(kind.has_lines() && is_break(*c))) {
        return Err(TextError::Control(bad));
    }
    if let Some(bad) = text.chars().find(|c| is_turn(*c)) {
        return Err(TextError::Direction(bad));
    }
    let blank = text.chars().all(char::is_whitespace);
    if !blank && !text.chars().any(is_visible) {
        return Err(TextError::Invisible);
    }
    Ok(())
}

/// Checks a text that must say something.
pub fn check_stated(text: &str, kind: TextKind) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    check_text(text, kind)
}

/// The text with `\u{FFFD}` in place of each character that no text may hold: for tables of other systems, whose rows are
/// worth more than their damaged letters.
#[must_use]
pub fn repaired(text: &str) -> String {
    let whole =
        |c: char| if (is_control(c) && !is_break(c)) || is_turn(c) { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(whole).collect()
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t')
}

/// Embeddings, overrides and isolates of the direction of writing.
fn is_turn(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Control characters, and the two separators that break a line where none is expected.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character leaves anything on the screen. The list is Unicode's `Default_Ignorable_Code_Point` and the
/// empty Braille cell.
fn is_visible(c: char) -> bool {
    let ignorable = matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}');
    !(ignorable || is_control(c) || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_taken() {
        let family = "现场 👨\u{200D}👩\u{200D}👧 等待";
        for text in ["", "  ", "北京路 12 号", family, "第一行\n第二行\r\n\t缩进", "Straße – café"]
        {
            assert_eq!(check_text(text, TextKind::Note), Ok(()), "{text:?}");
        }
        assert_eq!(check_stated("昆明", TextKind::Name), Ok(()));
    }

    #[test]
    fn damage_in_tables_is_marked() {
        assert_eq!(repaired("a\u{80}\u{93}b\u{202E}c\0\nd"), "a\u{FFFD}\u{FFFD}b\u{FFFD}c\u{FFFD}\nd");
    }

    #[test]
    fn what_deceives_or_floods_is_refused() {
        let refused = |text: &str, kind| check_stated(text, kind).unwrap_err();
        assert_eq!(refused(" \n", TextKind::Note), TextError::Empty);
        assert_eq!(refused("a\u{1b}[2J", TextKind::Note), TextError::Control('\u{1b}'));
        assert_eq!(refused("a\0", TextKind::Id), TextError::Control('\0'));
        assert_eq!(refused("a\u{85}", TextKind::Note), TextError::Control('\u{85}'));
        assert_eq!(refused("a\nb", TextKind::Line), TextError::Control('\n'));
        for turn in ('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}') {
            assert_eq!(refused(&format!("a{turn}b"), TextKind::Note), TextError::Direction(turn));
        }
        for unseen in ["\u{200B}", " \u{200D}\u{FEFF} ", "\u{3164}", "\u{2060}\u{E0041}"] {
            assert_eq!(refused(unseen, TextKind::Name), TextError::Invisible, "{unseen:?}");
        }
        for kind in [TextKind::Note, TextKind::Line, TextKind::Name, TextKind::Id] {
            let most = kind.bytes_max();
            assert_eq!(check_text(&"x".repeat(most), kind), Ok(()));
            assert_eq!(refused(&"x".repeat(most + 1), kind), TextError::TooLong { bytes: most + 1, most });
        }
    }
}
