//! Limits in the words people write (时限的写法): `2紧急工作时`, `5天`, `1紧急工作时制止，2紧急工作日恢复`, with digits of any width and
//! line breaks wherever a cell was narrow.
//!
//! What should be here: from a text to limits, each with the part of the disposal it is for. What should not: which cell the text
//! stood in, and whether the limits fit each other (`catalogue::Condition::is_possible`).

use super::limit::{Counts, Limit, LimitKind, Unit};

/// What a unit without a word of its own counts: whether 天 and 小时 are working time is the city's own rule
/// (`reference/domain.md` §2.5), so that it is asked and not assumed.
pub type Plain = Counts;

/// One limit with the part of the disposal it was written beside: 制止, 恢复; empty where none was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub limit: Limit,
}

/// Why a text is not a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpokenError {
    #[error("is empty")]
    Empty,
    #[error("has no number")]
    NoNumber,
    #[error("{0:?} is not a whole number; a part of a unit is written in a smaller unit")]
    NotWhole(String),
    #[error("{0} is not within 1 to 10,000")]
    Amount(String),
    #[error("the number {0} has no unit")]
    NoUnit(String),
    #[error("{0:?} is no unit that is known")]
    UnknownUnit(String),
    #[error(
        "{0} follows a limit with nothing between: one limit is written in one unit, and two are parted by a comma"
    )]
    RunTogether(String),
    #[error(
        "{0:?} is no upper limit of one number: no sign, range, minimum or hundred in words is read; write 250小时 or 5天"
    )]
    NotOne(String),
}

const THROUGH: Option<Counts> = Some(Counts::Through);
const WORKING: Option<Counts> = Some(Counts::Working);

/// Units by their words; of two words that fit the longer one is meant. None counts as the city says for what is plain.
const UNITS: [(&str, (Unit, Option<Counts>)); 42] = [
    ("紧急工作小时", (Unit::Hour, THROUGH)),
    ("紧急工作时", (Unit::Hour, THROUGH)),
    ("紧急小时", (Unit::Hour, THROUGH)),
    ("紧急时", (Unit::Hour, THROUGH)),
    ("紧急工作日", (Unit::Day, THROUGH)),
    ("紧急工作天", (Unit::Day, THROUGH)),
    ("紧急日", (Unit::Day, THROUGH)),
    ("紧急天", (Unit::Day, THROUGH)),
    ("自然小时", (Unit::Hour, THROUGH)),
    ("自然时", (Unit::Hour, THROUGH)),
    ("自然日", (Unit::Day, THROUGH)),
    ("自然天", (Unit::Day, THROUGH)),
    ("日历日", (Unit::Day, THROUGH)),
    ("日历天", (Unit::Day, THROUGH)),
    ("工作小时", (Unit::Hour, WORKING)),
    ("工作时", (Unit::Hour, WORKING)),
    ("工作日", (Unit::Day, WORKING)),
    ("工作天", (Unit::Day, WORKING)),
    ("工作分钟", (Unit::Minute, WORKING)),
    ("自然分钟", (Unit::Minute, THROUGH)),
    ("分钟", (Unit::Minute, THROUGH)),
    ("分", (Unit::Minute, THROUGH)),
    ("小时", (Unit::Hour, None)),
    ("时", (Unit::Hour, None)),
    ("天", (Unit::Day, None)),
    ("日", (Unit::Day, None)),
    ("urgenthours", (Unit::Hour, THROUGH)),
    ("urgenthour", (Unit::Hour, THROUGH)),
    ("urgentdays", (Unit::Day, THROUGH)),
    ("urgentday", (Unit::Day, THROUGH)),
    ("workhours", (Unit::Hour, WORKING)),
    ("workhour", (Unit::Hour, WORKING)),
    ("workdays", (Unit::Day, WORKING)),
    ("workday", (Unit::Day, WORKING)),
    ("minutes", (Unit::Minute, THROUGH)),
    ("minute", (Unit::Minute, THROUGH)),
    ("min", (Unit::Minute, THROUGH)),
    ("hours", (Unit::Hour, None)),
    ("hour", (Unit::Hour, None)),
    ("days", (Unit::Day, None)),
    ("day", (Unit::Day, None)),
    ("h", (Unit::Hour, None)),
];

/// Letters of any width as their narrow ones, without blanks: what is left of a cell when its looks are taken away.
#[must_use]
pub fn narrow(text: &str) -> String {
    let half = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        other => other,
    };
    let blank = |c: &char| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}');
    text.chars().filter(|c| !blank(c)).map(half).collect()
}

/// Reads every limit of a text, in its order. A name stands before its limit or behind it, all of them on the same side.
pub fn read(text: &str, plain: Plain) -> Result<Vec<Part>, SpokenError> {
    let text = narrow(text).to_lowercase();
    if text.is_empty() {
        return Err(SpokenError::Empty);
    }
    let mut found: Vec<(String, Limit)> = Vec::new();
    let mut rest = text.as_str();
    // What stood before the limit that comes.
    let mut before = String::new();
    while let Some((start, number, behind)) = next_number(rest) {
        before.push_str(&rest[..start]);
        if let Some(word) = turned_by(&before) {
            return Err(SpokenError::NotOne(format!("{word}{number}")));
        }
        let (limit, behind) = one(&number, behind, plain)?;
        if !found.is_empty() && before.is_empty() {
            // 2小时30分钟 is one limit of two units, and not a part of two hours before a whole of thirty minutes.
            return Err(SpokenError::RunTogether(number));
        }
        found.push((std::mem::take(&mut before), limit));
        rest = behind;
    }
    if found.is_empty() {
        return Err(SpokenError::NoNumber);
    }
    let behind = found.iter().skip(1).map(|(before, _)| before.as_str()).chain([rest]);
    if let Some(word) = behind.filter_map(|text| MINIMUM.iter().find(|word| text.starts_with(**word))).next()
    {
        return Err(SpokenError::NotOne((*word).to_owned()));
    }
    Ok(named(found, rest))
}

/// Behind a limit: it is the least, not the most.
const MINIMUM: [&str; 3] = ["以上", "以外", "起"];

/// What stands right before a number and makes it another one, or no upper limit: the sign of a number, the first half of a range, a
/// numeral that went unread (二百|五十), a minimum.
fn turned_by(before: &str) -> Option<&str> {
    const WORDS: [&str; 10] = ["至少", "不少于", "不低于", "大于", "多于", "超过", "非", "至", "到", "或"];
    if ["不超过", "不得超过", "不能超过", "不多于", "不大于"].iter().any(|most| before.ends_with(most))
    {
        return None;
    }
    let last = before.char_indices().next_back()?;
    let is_sign = matches!(
        last.1,
        '-' | '\u{2010}'
            ..='\u{2015}' | '\u{2212}' | '+' | '±' | '~' | '\u{223C}' | '<' | '>' | '≥' | '≤' | '≈'
    );
    let is_numeral = chinese(last.1).is_some() || "百千万亿零廿卅佰仟".contains(last.1);
    let word =
        WORDS.iter().find(|word| before.ends_with(**word)).map(|word| &before[before.len() - word.len()..]);
    word.or_else(|| (is_sign || is_numeral).then(|| &before[last.0..]))
}

/// One limit, from its number on, and what stands behind it.
fn one<'t>(number: &str, behind: &'t str, plain: Plain) -> Result<(Limit, &'t str), SpokenError> {
    let behind = behind.strip_prefix('个').unwrap_or(behind);
    if number.contains('.') || behind.starts_with('半') {
        return Err(SpokenError::NotWhole(format!("{number}{}", behind.chars().next().unwrap_or_default())));
    }
    let amount = number.parse().ok().filter(|amount| (1..=Limit::AMOUNT_MAX).contains(amount));
    let amount = amount.ok_or_else(|| SpokenError::Amount(number.to_owned()))?;
    let known = UNITS.iter().filter(|(word, _)| behind.starts_with(word)).max_by_key(|(word, _)| word.len());
    let Some((word, (unit, counts))) = known else {
        let unit: String = behind.chars().take_while(|c| !is_end(*c)).take(8).collect();
        return Err(match unit.is_empty() {
            true => SpokenError::NoUnit(number.to_owned()),
            false => SpokenError::UnknownUnit(unit),
        });
    };
    let kind = LimitKind { unit: *unit, counts: counts.unwrap_or(plain) };
    let rest = &behind[word.len()..];
    match rest.starts_with('半') {
        true => Err(SpokenError::NotWhole(format!("{number}{word}半"))),
        false => Ok((Limit::new(amount, kind), rest)),
    }
}

/// The next number of a text: where it begins, as digits, and what is behind it.
fn next_number(text: &str) -> Option<(usize, String, &str)> {
    let start = text.find(|c: char| c.is_ascii_digit() || chinese(c).is_some())?;
    let rest = &text[start..];
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        return Some((start, rest[..end].trim_end_matches('.').to_owned(), &rest[end..]));
    }
    let end = rest.find(|c: char| chinese(c).is_none()).unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    // A word such as 一般 has a character that is a number elsewhere.
    let counts = spelt(word).filter(|_| {
        let unit = behind.strip_prefix('个').unwrap_or(behind);
        unit.starts_with('半') || UNITS.iter().any(|(known, _)| unit.starts_with(known))
    });
    match counts {
        Some(number) => Some((start, number.to_string(), behind)),
        None => {
            let (skipped, number, behind) = next_number(behind)?;
            Some((start + word.len() + skipped, number, behind))
        }
    }
}

fn chinese(c: char) -> Option<u32> {
    "〇一二三四五六七八九十"
        .chars()
        .position(|digit| digit == c)
        .map(|at| at as u32)
        .or((c == '两').then_some(2))
}

/// 两, 十五, 二十
fn spelt(word: &str) -> Option<u32> {
    let digits: Vec<u32> = word.chars().filter_map(chinese).collect();
    match digits[..] {
        [one @ 1..=10] => Some(one),
        [10, one @ 1..=9] => Some(10 + one),
        [tens @ 1..=9, 10] => Some(10 * tens),
        [tens @ 1..=9, 10, one @ 1..=9] => Some(10 * tens + one),
        _ => None,
    }
}

/// What parts two limits, or closes one in.
fn is_end(c: char) -> bool {
    matches!(c, ',' | '、' | ';' | '/' | '。' | '.' | '(' | ')' | ':' | '|' | '+' | '-' | '内' | '后' | '再')
}

/// Gives each limit the words on the side on which the first has some.
fn named(found: Vec<(String, Limit)>, last: &str) -> Vec<Part> {
    let clean = |text: &str| {
        let text = text.strip_prefix("then").unwrap_or(text);
        text.trim_matches(is_end).to_owned()
    };
    let behind: Vec<String> =
        found.iter().skip(1).map(|(before, _)| clean(before)).chain([clean(last)]).collect();
    let is_before = found.first().is_some_and(|(before, _)| !clean(before).is_empty());
    let names: Vec<String> = match is_before {
        true => found.iter().map(|(before, _)| clean(before)).collect(),
        false => behind,
    };
    found.into_iter().zip(names).map(|((_, limit), name)| Part { name, limit }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Language;

    fn said(text: &str) -> String {
        let parts = read(text, Counts::Working).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let said = |part: &Part| format!("{}{}", part.limit.words(Language::Zh).replace(' ', ""), part.name);
        parts.iter().map(said).collect::<Vec<_>>().join("|")
    }

    /// Method: the words of the published tables of three cities (`reference/domain.md` §2.4), with what office programs make of them.
    #[test]
    fn the_words_of_published_tables_are_read() {
        for (text, is) in [
            ("2紧急工作时", "2紧急工作时"),
            ("1紧急工作日", "1紧急工作日"),
            ("4小时", "4工作时"),
            ("5天", "5工作日"),
            ("15 个工作日", "15工作日"),
            ("３天", "3工作日"),
            ("2紧急工\n作时", "2紧急工作时"),
            ("\u{3000}１５\u{A0}天 ", "15工作日"),
            ("7自然日", "7紧急工作日"),
            ("30分钟", "30分钟"),
            ("30工作分钟", "30工作分钟"),
            ("两小时", "2工作时"),
            ("十五天", "15工作日"),
            ("5天内", "5工作日"),
            ("1紧急工作时制止", "1紧急工作时制止"),
            ("2紧急工作日（制止、恢复）", "2紧急工作日制止、恢复"),
            ("1紧急工作时制止，5天恢复", "1紧急工作时制止|5工作日恢复"),
            ("停工4工作时/处罚7工作日/拆除20工作日", "4工作时停工|7工作日处罚|20工作日拆除"),
            ("1紧急工作时，再5天", "1紧急工作时|5工作日"),
            ("制止：2紧急工作时；拆除：15天", "2紧急工作时制止|15工作日拆除"),
            ("2 urgent hours", "2紧急工作时"),
            ("4 hours", "4工作时"),
        ] {
            assert_eq!(said(text), is, "{text:?}");
        }
        let through = read("5天", Counts::Through).unwrap();
        assert_eq!(through[0].limit, Limit::new(5, LimitKind::URGENT_DAY), "the city says what a day is");
    }

    #[test]
    fn what_is_no_limit_is_refused_with_what_is_wrong() {
        for (text, error) in [
            ("", SpokenError::Empty),
            (" \n", SpokenError::Empty),
            ("尽快", SpokenError::NoNumber),
            ("一般情况", SpokenError::NoNumber),
            ("0天", SpokenError::Amount("0".into())),
            ("99999小时", SpokenError::Amount("99999".into())),
            ("4", SpokenError::NoUnit("4".into())),
            ("4,5天", SpokenError::NoUnit("4".into())),
            ("0.5天", SpokenError::NotWhole("0.5天".into())),
            ("一天半", SpokenError::NotWhole("1天半".into())),
            ("两个半小时", SpokenError::NotWhole("2半".into())),
            ("3旬", SpokenError::UnknownUnit("旬".into())),
            ("2紧急", SpokenError::UnknownUnit("紧急".into())),
            ("2小时30分钟", SpokenError::RunTogether("30".into())),
            ("1天12小时", SpokenError::RunTogether("12".into())),
            ("一天 十二小时", SpokenError::RunTogether("12".into())),
            ("二百五十小时", SpokenError::NotOne("百50".into())),
            ("一千零五天", SpokenError::NotOne("零5".into())),
            ("三至五个工作日", SpokenError::NotOne("至5".into())),
            ("十二或十五天", SpokenError::NotOne("或15".into())),
            ("4小时至5小时", SpokenError::NotOne("至5".into())),
            ("－4小时", SpokenError::NotOne("-4".into())),
            ("−4小时", SpokenError::NotOne("−4".into())),
            ("不少于5天", SpokenError::NotOne("不少于5".into())),
            ("超过三天", SpokenError::NotOne("超过3".into())),
            ("5天以上", SpokenError::NotOne("以上".into())),
        ] {
            assert_eq!(read(text, Counts::Working), Err(error), "{text:?}");
        }
    }

    /// Method: every text of up to four of these pieces; nothing panics, and what is read is possible.
    #[test]
    fn no_text_panics_and_every_limit_read_is_possible() {
        const PIECES: [&str; 12] =
            ["1", "９", "十", "两", "个", "天", "小时", "紧急", "，", "制止", "半", "."];
        let mut read_any = 0;
        for number in 0..PIECES.len().pow(4) {
            let mut at = number;
            let text: String = std::iter::repeat_with(|| {
                let piece = PIECES[at % PIECES.len()];
                at /= PIECES.len();
                piece
            })
            .take(4)
            .collect();
            let Ok(parts) = read(&text, Counts::Working) else { continue };
            read_any += 1;
            assert!(
                !parts.is_empty() && parts.iter().all(|part| part.limit.is_possible()),
                "{text:?}: {parts:?}"
            );
        }
        assert!(read_any > 100, "{read_any} texts were read");
    }
}
