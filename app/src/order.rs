//! Lists in order, and what is looked up in them, for a screen. One sort serves all: the standard library's, written out
//! for each type, weighs kilobytes each time; so does a map.

use std::borrow::Borrow;
use std::cmp::Ordering;

use serde::{Serialize, Serializer};

/// Values by key, in the order of the keys: a map for what is filled once and looked up often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorted<K, V>(Vec<(K, V)>);

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Sorted<K, V> {
    /// Of keys that differ.
    pub fn of(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut pairs: Vec<(K, V)> = pairs.into_iter().collect();
        sort_by(&mut pairs, |(a, _), (b, _)| a.cmp(b));
        Self(pairs)
    }

    /// Of pairs of which the last counts where several have the same key.
    pub fn last_of(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let Self(mut pairs) = Self::of(pairs);
        pairs.reverse();
        pairs.dedup_by(|one, kept| one.0 == kept.0);
        pairs.reverse();
        Self(pairs)
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(held, _)| held.borrow().cmp(key))
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    pub fn has<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Takes a value over, in place of the one that stood under the key.
    pub fn put(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Ok(at) = self.place(key) {
            self.0.remove(at);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Sorted<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Stable; `key` is asked for at each comparison.
pub fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// Stable.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let places = places(items.len(), &|a, b| compare(&items[a], &items[b]));
    let mut taken: Vec<Option<T>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(places.into_iter().filter_map(|place| taken[place].take()));
}

fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_under_its_key_and_in_the_order_of_the_keys() {
        let mut numbers = Sorted::of([("b", 2), ("a", 1), ("d", 4)]);
        numbers.put("c", 3);
        numbers.put("a", 0);
        numbers.remove("d");
        numbers.remove("none");
        assert_eq!(numbers.iter().copied().collect::<Vec<_>>(), [("a", 0), ("b", 2), ("c", 3)]);
        assert_eq!((numbers.get("c"), numbers.get("d"), numbers.has("b")), (Some(&3), None, true));
    }

    #[test]
    fn of_several_values_under_a_key_the_last_counts() {
        let numbers = Sorted::last_of([("b", 1), ("a", 1), ("b", 2), ("a", 3), ("b", 4)]);
        assert_eq!(numbers.iter().copied().collect::<Vec<_>>(), [("a", 3), ("b", 4)]);
    }

    #[test]
    fn equal_items_keep_their_order() {
        let mut words = vec!["pear", "fig", "plum", "kiwi", "nut"];
        sort_by_key(&mut words, |word| word.len());
        assert_eq!(words, ["fig", "nut", "pear", "plum", "kiwi"]);
        let mut none: Vec<f64> = Vec::new();
        sort_by(&mut none, f64::total_cmp);
        assert!(none.is_empty());
    }
}
