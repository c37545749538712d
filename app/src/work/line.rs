//! What a line of a list calls a case: its number and its place, as short as they can be said.
//!
//! What should not be here: rows, which each seat has its own of.

use domain::wire::CaseLine;

use crate::names::Called;
use crate::words::Language;

/// Where it is: in words, or its areas.
pub fn place(language: Language, case: &CaseLine, names: Called) -> String {
    match case.address.is_empty() {
        true => names.with(|names| names.area_words(language, &case.area_path)),
        false => case.address.clone(),
    }
}

/// `1121-07245` of `20261121-07245`: in one list the year goes without saying.
pub fn short_number(number: &str) -> &str {
    match number.split_once('-') {
        Some((day, _)) if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) => &number[4..],
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::short_number;

    #[test]
    fn only_our_own_numbers_are_shortened() {
        assert_eq!(short_number("20261121-07245"), "1121-07245");
        assert_eq!(short_number("311-5512"), "311-5512");
        assert_eq!(short_number("案件一"), "案件一");
    }
}
