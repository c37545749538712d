//! Working time: the published examples and the defects found in fielded systems (`reference/domain.md` §2.5, §2.8).

use proptest::prelude::*;

use super::*;
use crate::clock::LimitKind;

const OFFSET: UtcOffset = UtcOffset(480);

/// A local time of the hall as an instant.
fn at(text: &str) -> UtcMillis {
    let (date, time) = text.split_once(' ').unwrap();
    let (hour, minute) = time.split_once(':').unwrap();
    let ms_of_day = hour.parse::<i64>().unwrap() * HOUR_MS + minute.parse::<i64>().unwrap() * MINUTE_MS;
    Local { date: date.parse().unwrap(), ms_of_day }.utc(OFFSET)
}

fn words(instant: UtcMillis) -> String {
    let local = instant.local(OFFSET);
    format!("{} {:02}:{:02}", local.date, local.hour(), local.minute())
}

/// Default hours with the holidays and make-up days of New Year 2026 and National Day 2025.
fn calendar() -> WorkCalendar {
    let day = |text: &str, kind| (text.parse::<Date>().unwrap(), kind);
    let exceptions = [
        day("2025-10-01", DayKind::Off),
        day("2025-10-02", DayKind::Off),
        day("2025-10-03", DayKind::Off),
        day("2025-10-06", DayKind::Off),
        day("2025-10-07", DayKind::Off),
        day("2025-10-08", DayKind::Off),
        day("2025-10-11", DayKind::Work),
        day("2026-01-01", DayKind::Off),
        day("2026-01-02", DayKind::Off),
        day("2026-01-03", DayKind::Off),
        day("2026-01-04", DayKind::Work),
    ];
    WorkCalendar { exceptions: exceptions.into_iter().collect(), ..WorkCalendar::default() }
}

fn due(start: &str, amount: u32, kind: LimitKind) -> String {
    words(calendar().due(at(start), Limit::new(amount, kind), OFFSET).unwrap())
}

#[test]
fn limits_run_out_as_the_published_tables_say() {
    let table = [
        // §2.5: filed 15:00 on Monday with one working day is due 15:00 on Tuesday.
        ("2026-06-15 15:00", 1, LimitKind::WORK_DAY, "2026-06-16 15:00"),
        ("2026-06-15 10:00", 4, LimitKind::WORK_HOUR, "2026-06-15 16:00"),
        ("2026-06-15 08:00", 4, LimitKind::WORK_HOUR, "2026-06-15 12:00"),
        ("2026-06-15 12:00", 4, LimitKind::WORK_HOUR, "2026-06-15 18:00"),
        // Friday afternoon to Monday.
        ("2026-06-19 17:00", 2, LimitKind::WORK_HOUR, "2026-06-22 09:00"),
        ("2026-06-19 17:00", 2, LimitKind::URGENT_HOUR, "2026-06-19 19:00"),
        ("2026-06-19 17:00", 2, LimitKind::URGENT_DAY, "2026-06-21 17:00"),
        // §2.8 no. 3: started inside the lunch break.
        ("2026-06-15 13:00", 1, LimitKind::WORK_HOUR, "2026-06-15 15:00"),
        // §2.8 no. 2: across the year's end, with the holiday and the make-up Sunday.
        ("2025-12-31 17:00", 2, LimitKind::WORK_HOUR, "2026-01-04 09:00"),
        // National Day week, then the make-up Saturday counts.
        ("2025-09-30 17:00", 1, LimitKind::WORK_DAY, "2025-10-09 17:00"),
        ("2025-10-10 17:00", 2, LimitKind::WORK_HOUR, "2025-10-11 09:00"),
        // Before the office opens and after it closes.
        ("2026-06-15 06:00", 1, LimitKind::WORK_HOUR, "2026-06-15 09:00"),
        ("2026-06-15 20:00", 1, LimitKind::WORK_HOUR, "2026-06-16 09:00"),
    ];
    for (start, amount, unit, expected) in table {
        assert_eq!(due(start, amount, unit), expected, "{amount} {unit:?} from {start}");
    }
}

#[test]
fn working_time_between_two_moments_in_the_lunch_break_is_zero() {
    let elapsed =
        calendar().elapsed_ms(at("2026-06-15 13:00"), at("2026-06-15 13:30"), Counts::Working, OFFSET);
    assert_eq!(elapsed, 0);
}

#[test]
fn the_office_says_when_it_opens() {
    let opens = |text: &str| words(calendar().resumes_at(at(text), OFFSET).unwrap());
    assert_eq!(opens("2026-06-15 12:26"), "2026-06-15 14:00");
    assert_eq!(opens("2026-06-15 09:10"), "2026-06-15 09:10");
    assert_eq!(opens("2025-12-31 18:00"), "2026-01-04 08:00");
}

#[test]
fn a_calendar_without_working_time_ends_instead_of_searching_for_ever() {
    let holiday = WorkCalendar { weekdays: Vec::new(), ..WorkCalendar::default() };
    assert!(holiday.check().is_err());
    let never = holiday.due(at("2026-06-15 09:00"), Limit::new(1, LimitKind::WORK_HOUR), OFFSET);
    assert_eq!(never, None);
    assert_eq!(holiday.resumes_at(at("2026-06-15 09:00"), OFFSET), None);
}

proptest! {
    /// Whatever the start and the limit, the working time between start and due is the limit.
    #[test]
    fn the_due_time_is_exactly_the_limit_away(start in 1_700_000_000_000_i64..1_800_000_000_000, hours in 1_u32..200) {
        let start = UtcMillis(start);
        let limit = Limit::new(hours, LimitKind::WORK_HOUR);
        let due = calendar().due(start, limit, OFFSET).unwrap();
        let elapsed = calendar().elapsed_ms(start, due, Counts::Working, OFFSET);
        prop_assert_eq!(elapsed, i64::from(hours) * HOUR_MS);
    }

    /// Any number is some instant with a date that can be written and read again, and calendars end with it.
    #[test]
    fn no_instant_is_too_far_for_the_calendar(ms in any::<i64>(), other in any::<i64>(), hours in 1_u32..=10_000) {
        for at in [ms, other, i64::MIN, i64::MAX].map(UtcMillis) {
            let local = at.local(OFFSET);
            prop_assert_eq!(local.date.to_string().parse::<Date>(), Ok(local.date));
            prop_assert!((101..=99_991_231).contains(&local.date.number()));
            let _ = local.utc(OFFSET);
            let _ = local.date.plus_days(ms);
            let _ = calendar().due(at, Limit::new(hours, LimitKind::WORK_HOUR), OFFSET);
            let _ = calendar().resumes_at(at, OFFSET);
            for to in [ms, other, i64::MIN, i64::MAX].map(UtcMillis) {
                let _ = calendar().elapsed_ms(at, to, Counts::Working, OFFSET);
                let _ = calendar().elapsed_ms(at, to, Counts::Through, OFFSET);
            }
        }
    }

    /// Dates survive the way to text and back, and days count without gaps.
    #[test]
    fn dates_count_without_gaps(days in -719_528_i64..2_932_897) {
        let date = Date::from_days(days);
        prop_assert_eq!(date.to_string().parse::<Date>().ok(), Some(date));
        let (year, month, day) = date.parts();
        prop_assert_eq!(Date::new(year, month, day), Some(date));
    }
}

/// Ten thousand working days are more than anybody searches: it is said, and not silently never due.
#[test]
fn a_due_time_that_cannot_be_told_is_none() {
    let start = at("2026-06-15 09:00");
    assert_eq!(calendar().due(start, Limit::new(10_000, LimitKind::WORK_DAY), OFFSET), None);
    assert!(calendar().due(start, Limit::new(10_000, LimitKind::URGENT_DAY), OFFSET).is_some());
    let late = UtcMillis::END.plus(-HOUR_MS);
    assert_eq!(calendar().due(late, Limit::new(2, LimitKind::URGENT_HOUR), OFFSET), None);
    let minutes = LimitKind { unit: Unit::Minute, counts: Counts::Working };
    assert_eq!(due("2026-06-15 11:50", 15, minutes), "2026-06-15 14:05");
}

/// The papers of 2026 as they are, and a hall that has nothing of 2027 yet.
fn of_2026() -> WorkCalendar {
    let day = |text: &str, kind| (text.parse::<Date>().unwrap(), kind);
    let exceptions = [day("2026-01-01", DayKind::Off), day("2026-10-10", DayKind::Work)];
    WorkCalendar { exceptions: exceptions.into_iter().collect(), ..WorkCalendar::default() }
}

#[test]
fn a_calendar_knows_the_day_it_reaches_to() {
    let reach = |calendar: &WorkCalendar| calendar.reach().map(|day| day.to_string());
    assert_eq!(reach(&WorkCalendar::default()), None, "weekdays alone wait for no paper");
    assert_eq!(reach(&of_2026()).as_deref(), Some("2026-12-28"));
    // The paper of 2019 came with days of 2018; a paper's last day is known, wherever it lies.
    let mut late = of_2026();
    late.add("2026-12-31".parse().unwrap(), DayKind::Off).unwrap();
    assert_eq!(reach(&late).as_deref(), Some("2026-12-31"));
    let stated = WorkCalendar { reaches_to: "2027-06-30".parse().ok(), ..of_2026() };
    assert_eq!(reach(&stated).as_deref(), Some("2027-06-30"));
    let short = WorkCalendar { reaches_to: "2026-06-30".parse().ok(), ..of_2026() };
    assert!(short.check().unwrap_err().starts_with("reaches_to: 2026-06-30 lies before 2026-10-10"));
}

#[test]
fn a_day_that_no_hall_lives_to_see_is_refused() {
    for day in ["0000-01-01", "1969-12-31", "2200-01-01", "9999-12-31"] {
        let date: Date = day.parse().unwrap();
        let stated = WorkCalendar { reaches_to: Some(date), ..WorkCalendar::default() };
        assert_eq!(stated.check(), Err(format!("reaches_to: {day} is not within 1970 to 2199")));
        let single = WorkCalendar { exceptions: [(date, DayKind::Off)].into(), ..WorkCalendar::default() };
        assert_eq!(single.check(), Err(format!("exceptions: {day} is not within 1970 to 2199")));
    }
    let last = WorkCalendar { reaches_to: "2199-12-31".parse().ok(), ..of_2026() };
    assert_eq!(last.check(), Ok(()));
}

#[test]
fn a_due_time_beyond_the_known_days_is_provisional_in_working_time_alone() {
    let provisional = |calendar: &WorkCalendar, start: &str, kind| {
        let limit = Limit::new(3, kind);
        calendar.is_provisional(calendar.due(at(start), limit, OFFSET).unwrap(), limit, OFFSET)
    };
    let calendar = of_2026();
    assert!(!provisional(&calendar, "2026-12-22 09:00", LimitKind::WORK_DAY));
    assert!(!provisional(&calendar, "2026-12-23 18:00", LimitKind::WORK_DAY), "due on the last known day");
    assert!(provisional(&calendar, "2026-12-24 09:30", LimitKind::WORK_DAY));
    assert!(provisional(&calendar, "2027-03-01 09:00", LimitKind::WORK_HOUR));
    assert!(!provisional(&calendar, "2026-12-31 09:00", LimitKind::URGENT_DAY));
    assert!(!provisional(&WorkCalendar::default(), "2026-12-31 09:00", LimitKind::WORK_DAY));
}

#[test]
fn a_date_has_one_kind_however_it_is_written() {
    let read = |exceptions: &str| {
        let text = format!(r#"{{"spans":[],"weekdays":[],"work_day_minutes":1,"exceptions":{exceptions}}}"#);
        serde_json::from_str::<WorkCalendar>(&text).map_err(|error| error.to_string())
    };
    assert_eq!(read(r#"{"2026-01-01":"off","2026-01-04":"work"}"#).unwrap().exceptions.len(), 2);
    for twice in [r#"{"2026-01-01":"off","2026-01-01":"work"}"#, r#"{"2026-01-01":"off","2026-1-1":"off"}"#] {
        assert!(read(twice).unwrap_err().contains("2026-01-01 is named twice"), "{twice}");
    }
    // Neighbouring lists may repeat a day; they may not contradict each other.
    let mut calendar = of_2026();
    let day = "2026-01-01".parse().unwrap();
    assert_eq!(calendar.add(day, DayKind::Off), Ok(()));
    let wrong = calendar.add(day, DayKind::Work).unwrap_err();
    assert_eq!(wrong.to_string(), "2026-01-01 is a working day here and a holiday elsewhere");
}

#[test]
fn spans_that_overlap_or_leave_their_day_are_refused_by_name() {
    let refused = |spans: &[(u16, u16)]| {
        let spans = spans.iter().map(|&(from, to)| Span { from, to }).collect();
        WorkCalendar { spans, ..WorkCalendar::default() }.check().unwrap_err()
    };
    assert!(refused(&[(480, 720), (700, 1_080)]).contains("700–1080 overlaps"));
    assert!(
        refused(&[(840, 1_080), (480, 720)]).contains("480–720 overlaps the one before, or stands before it")
    );
    assert!(refused(&[(1_320, 120)]).contains("past midnight"));
    assert!(refused(&[(480, 480)]).contains("empty"));
    assert!(refused(&[(1_320, 1_500)]).contains("leaves the day"));
}
