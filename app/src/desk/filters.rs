//! Which cases the desk lists, as the address carries it: reload keeps it and a colleague can be sent it.
//!
//! What should be here: the filters, their address form, whether a live case still fits. What should not: fetching.

use domain::case::Stage;
use domain::clock::Phase;
use domain::wire::CaseLine;

use crate::order::Sorted;

/// Filters of `GET /api/v1/cases` that an address may carry; others are left out.
const KEYS: [&str; 17] = [
    "stage",
    "area",
    "class",
    "source",
    "phase",
    "open",
    "reported",
    "filed",
    "dispatched",
    "closed",
    "dispatched_late",
    "text",
    "department",
    "claimed_by",
    "claimed",
    "has_place",
    "sort",
];
/// Chooses another list than that of cases.
const LIST: &str = "list";
const WHISTLES: &str = "whistles";
/// Narrow the list of calls: raised on a day or in a month; with somebody missing beyond the limit.
const CALL_KEYS: [&str; 2] = ["raised", "late"];
/// Filters by when something happened: such a list holds closed cases too.
const TIMES: [&str; 5] = ["reported", "filed", "dispatched", "closed", "dispatched_late"];

/// A list of the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    Mine,
    At(Stage),
    Open,
    Whistles,
    /// What filters find that belong to no queue.
    Found,
}

impl Queue {
    /// In the order of the rail; the place is the digit after `G`, with 0 for the last.
    pub const ALL: [Self; 10] = [
        Self::Mine,
        Self::At(Stage::Accept),
        Self::At(Stage::File),
        Self::At(Stage::Dispatch),
        Self::At(Stage::Dispose),
        Self::At(Stage::Feedback),
        Self::At(Stage::Check),
        Self::At(Stage::Close),
        Self::Whistles,
        Self::Open,
    ];

    pub fn by_digit(digit: usize) -> Option<Self> {
        Self::ALL.get(if digit == 0 { 9 } else { digit - 1 }).copied()
    }
}

/// What narrows the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filters(Sorted<&'static str, String>);

impl Filters {
    /// Reads the address through `value`, which gives a parameter's decoded value.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Self {
        let keys = KEYS.into_iter().chain(CALL_KEYS).chain([LIST]);
        let given = keys.filter_map(|key| Some((key, value(key).filter(|text| !text.is_empty())?)));
        Self(Sorted::of(given))
    }

    pub fn of(queue: Queue, me: &str) -> Self {
        let pairs: &[(&'static str, &str)] = match queue {
            Queue::Mine => &[("open", "true"), ("claimed_by", me), ("sort", "due")],
            Queue::At(stage) => &[("open", "true"), ("stage", stage.key()), ("sort", "due")],
            Queue::Open => &[("open", "true"), ("sort", "due")],
            Queue::Whistles => &[(LIST, WHISTLES)],
            Queue::Found => &[],
        };
        Self(Sorted::of(pairs.iter().map(|(key, value)| (*key, (*value).to_owned()))))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The same with one filter set, or taken away when empty.
    pub fn with(&self, key: &'static str, value: &str) -> Self {
        let mut next = self.clone();
        match value.trim() {
            "" => next.0.remove(key),
            value => next.0.put(key, value.to_owned()),
        }
        next
    }

    /// The list of the rail these filters narrow.
    pub fn queue(&self, me: &str) -> Queue {
        let stage = self.get("stage").and_then(Stage::from_key);
        match (self.get(LIST), stage, self.get("claimed_by")) {
            (Some(WHISTLES), ..) => Queue::Whistles,
            (_, Some(stage), _) => Queue::At(stage),
            (_, None, Some(name)) if name == me => Queue::Mine,
            _ if TIMES.iter().any(|key| self.0.has(*key)) => Queue::Found,
            _ => Queue::Open,
        }
    }

    pub fn lists_calls(&self) -> bool {
        self.queue("") == Queue::Whistles
    }

    /// Whether the feed tells what comes into the list and what goes: its lines carry neither times nor sources.
    pub fn is_followed(&self) -> bool {
        !TIMES.iter().chain(["source"].iter()).any(|key| self.0.has(*key))
    }

    /// Filters beyond those of the queue itself.
    pub fn narrows(&self, me: &str) -> bool {
        let plain = Self::of(self.queue(me), me);
        self.0.iter().any(|(key, value)| *key != "sort" && plain.get(key) != Some(value))
    }

    /// The order of the list. By due time the server gives open cases alone, so a list that holds closed ones is newest
    /// first, whatever the address says.
    pub fn is_newest_first(&self) -> bool {
        self.queue("") == Queue::Found || self.get("sort") == Some("newest")
    }

    /// Each filter beyond those of the queue that no field above the list shows.
    pub fn hidden(&self, me: &str) -> Vec<(&'static str, &str)> {
        let plain = Self::of(self.queue(me), me);
        let shown = ["area", "class", "source", "phase", "sort", "text", "open"];
        let hidden =
            self.0.iter().filter(|(key, value)| !shown.contains(key) && plain.get(key) != Some(value));
        hidden.map(|(key, value)| (*key, value.as_str())).collect()
    }

    /// Part of an address, with `encode` for values.
    pub fn query(&self, encode: impl Fn(&str) -> String) -> String {
        let pair = |(key, value): &(&'static str, String)| format!("{key}={}", encode(value));
        self.0.iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// Whether a live case belongs into the list. Filters by facts a line does not carry are taken as not met.
    pub fn fits(&self, case: &CaseLine) -> bool {
        self.0.iter().all(|(key, value)| match *key {
            "sort" | LIST | "raised" | "late" => true,
            "stage" => case.closed.is_none() && case.stage.key() == value,
            "area" => case.area_path.iter().any(|code| code.as_str() == value),
            "class" => case.class.as_str() == value,
            "phase" => match value.as_str() {
                "overdue" => case.phase == Phase::Overdue,
                "nearing" => case.phase == Phase::Nearing,
                _ => false,
            },
            "open" => case.closed.is_none() == (value == "true"),
            "text" => case.number.contains(value.as_str()) || case.address.contains(value.as_str()),
            "department" => case.department.as_ref().is_some_and(|code| code.as_str() == value),
            "claimed_by" => case.claimed_by.as_deref() == Some(value),
            "claimed" => case.claimed_by.is_some() == (value == "true"),
            "has_place" => case.place.is_some() == (value == "true"),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Filters {
        let find =
            |key: &str| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
        Filters::read(find)
    }

    #[test]
    fn an_address_gives_the_same_filters_again() {
        let filters = read(&[("stage", "dispatch"), ("open", "true"), ("text", "北京路"), ("other", "x")]);
        assert_eq!(filters.query(str::to_owned), "open=true&stage=dispatch&text=北京路");
        assert_eq!(filters.queue("周敏"), Queue::At(Stage::Dispatch));
        assert!(filters.narrows("周敏"));
        assert!(!filters.with("text", " ").narrows("周敏"));
    }

    #[test]
    fn a_list_with_closed_cases_says_so_and_is_never_ordered_by_due_time() {
        let month = read(&[("closed", "2026-11"), ("area", "530102"), ("sort", "due")]);
        assert_eq!((month.queue("周敏"), month.is_newest_first()), (Queue::Found, true));
        assert!(!month.is_followed() && Filters::of(Queue::Open, "周敏").is_followed());
        assert_eq!(month.hidden("周敏"), [("closed", "2026-11")]);
        let late = read(&[("open", "true"), ("stage", "dispatch"), ("claimed", "false")]);
        assert_eq!((late.is_newest_first(), late.hidden("周敏")), (false, vec![("claimed", "false")]));
    }

    #[test]
    fn each_queue_is_found_again_in_its_own_filters() {
        for queue in Queue::ALL {
            let filters = Filters::of(queue, "周敏");
            assert_eq!(filters.queue("周敏"), queue);
            assert!(!filters.narrows("周敏"));
        }
        assert_eq!(Filters::of(Queue::Mine, "周敏").queue("李航"), Queue::Open);
        assert_eq!([Queue::by_digit(0), Queue::by_digit(9)], [Some(Queue::Open), Some(Queue::Whistles)]);
    }
}
