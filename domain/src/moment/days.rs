//! A stretch of whole days, as people name one: a day or a month.

use super::Date;

/// Days from `from` to `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    pub from: Date,
    pub to: Date,
}

impl Days {
    /// One day.
    #[must_use]
    pub fn day(date: Date) -> Self {
        Self { from: date, to: date }
    }

    /// A month as 202611; none when there is no such month.
    #[must_use]
    pub fn month(number: i32) -> Option<Self> {
        let month = u8::try_from(number % 100).ok()?;
        let from = Date::new(number / 100, month, 1)?;
        let to = (28..=31).rev().find_map(|day| Date::new(number / 100, month, day))?;
        Some(Self { from, to })
    }
}

impl std::str::FromStr for Days {
    type Err = String;

    /// A day (`2026-11-21` or `20261121`) or a month (`2026-11` or `202611`).
    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        // A number of Rust's may have a sign.
        let number: Option<i32> = digits.parse().ok().filter(|_| !digits.starts_with('+'));
        let days = match (digits.len(), number) {
            (6, Some(month)) => Self::month(month),
            (8, Some(day)) => {
                let part = |number: i32| u8::try_from(number).unwrap_or(0);
                Date::new(day / 10_000, part(day / 100 % 100), part(day % 100)).map(Self::day)
            }
            _ => None,
        };
        days.ok_or_else(|| {
            format!("`{text}` is neither a day such as 2026-11-21 nor a month such as 2026-11")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_month_are_read_in_both_ways_and_nothing_else_is() {
        let date = |year, month, day| Date::new(year, month, day).unwrap();
        let leap = Days { from: date(2028, 2, 1), to: date(2028, 2, 29) };
        assert_eq!(["2028-02", "202802"].map(str::parse), [Ok(leap), Ok(leap)]);
        let day = Days::day(date(2026, 11, 21));
        assert_eq!(["2026-11-21", "20261121"].map(str::parse), [Ok(day), Ok(day)]);
        for wrong in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-02-30",
            "20261",
            "十一月",
            "-----",
            "+02611",
            "+026-11-1",
        ] {
            let said = wrong.parse::<Days>().expect_err(wrong);
            assert!(said.contains("2026-11-21") && said.contains(wrong), "{said}");
        }
    }
}
