//! Times of day and dates in the hall's own zone.

use domain::moment::{Date, UtcMillis, UtcOffset};

use crate::words::{Language, say};

/// `14:32:08`
pub fn clock(at: UtcMillis, offset: UtcOffset) -> String {
    let local = at.local(offset);
    format!("{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second())
}

/// `14:32`
pub fn hour_minute(at: UtcMillis, offset: UtcOffset) -> String {
    let local = at.local(offset);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// `2021年3月31日 星期三`, `Wed 31 Mar 2021`
pub fn date_words(language: Language, date: Date) -> String {
    let (year, month, day) = date.parts();
    match language {
        Language::Zh => format!("{year}年{month}月{day}日 星期{}", weekday(language, date)),
        Language::En => format!("{} {day} {} {year}", weekday(language, date), month_name(month)),
    }
}

/// `3月31日 周三`, `Wed 31 Mar`
pub fn short_date(language: Language, date: Date) -> String {
    let (_, month, day) = date.parts();
    match language {
        Language::Zh => format!("{month}月{day}日 周{}", weekday(language, date)),
        Language::En => format!("{} {day} {}", weekday(language, date), month_name(month)),
    }
}

/// `16:10`, with the date when it is another day.
pub fn moment(language: Language, at: UtcMillis, now: UtcMillis, offset: UtcOffset) -> String {
    let time = hour_minute(at, offset);
    let date = at.local(offset).date;
    if date == now.local(offset).date { time } else { format!("{} {time}", short_date(language, date)) }
}

/// The month before that of `date`, as 202102.
pub fn month_before(date: Date) -> i32 {
    let (year, month, _) = date.parts();
    if month == 1 { (year - 1) * 100 + 12 } else { year * 100 + i32::from(month) - 1 }
}

fn weekday(language: Language, date: Date) -> String {
    match date.weekday() {
        0 => say!(language, common.monday),
        1 => say!(language, common.tuesday),
        2 => say!(language, common.wednesday),
        3 => say!(language, common.thursday),
        4 => say!(language, common.friday),
        5 => say!(language, common.saturday),
        _ => say!(language, common.sunday),
    }
}

fn month_name(month: u8) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES[usize::from(month.clamp(1, 12)) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_in_both_languages() {
        let date = Date::new(2021, 3, 31).unwrap();
        assert_eq!(date_words(Language::Zh, date), "2021年3月31日 星期三");
        assert_eq!(date_words(Language::En, date), "Wed 31 Mar 2021");
        assert_eq!(short_date(Language::Zh, date), "3月31日 周三");
        assert_eq!([month_before(date), month_before(Date::new(2021, 1, 1).unwrap())], [202_102, 202_012]);
        let at = UtcMillis(date.midnight(UtcOffset(480)).0 + 52_328_000);
        assert_eq!(clock(at, UtcOffset(480)), "14:32:08");
    }
}
