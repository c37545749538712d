//! Places of sign-ins (登录排队) that are under way or wait: bounded for all, and a share for each sender.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;

use super::lock;

/// Nobody holds more places than are left for others, so that one who takes all it can get leaves half, two leave a
/// quarter, and a newcomer finds one.
pub(super) struct Places {
    all: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place, given back when dropped.
pub(super) struct Place<'a> {
    places: &'a Places,
    sender: IpAddr,
}

impl Places {
    pub fn new(all: usize) -> Self {
        Self { all, taken: Mutex::default() }
    }

    pub fn take(&self, sender: IpAddr) -> Option<Place<'_>> {
        let sender = share_of(sender);
        let mut taken = lock(&self.taken);
        let free = self.all.saturating_sub(taken.values().sum());
        let own = taken.get(&sender).copied().unwrap_or(0);
        if own >= free {
            metrics::counter!("gridhall_sign_ins_turned_away_total").increment(1);
            return None;
        }
        taken.insert(sender, own + 1);
        Some(Place { places: self, sender })
    }
}

/// A household of IPv6 has 2⁶⁴ addresses and one share.
fn share_of(sender: IpAddr) -> IpAddr {
    match sender.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.taken);
        if let Some(own) = taken.get_mut(&self.sender) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.sender);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sender_leaves_half_and_a_newcomer_finds_a_place() {
        let places = Places::new(66);
        let stranger = IpAddr::from([10, 0, 0, 66]);
        let held: Vec<_> = std::iter::from_fn(|| places.take(stranger)).collect();
        assert_eq!(held.len(), 33);
        let honest = places.take(IpAddr::from([10, 0, 0, 7])).expect("a place for somebody else");
        drop(honest);
        drop(held);
        assert!(lock(&places.taken).is_empty());
    }

    #[test]
    fn a_block_of_ipv6_and_a_mapped_address_are_one_sender() {
        let places = Places::new(4);
        let held: Vec<_> =
            (1..=5).filter_map(|last| places.take(format!("2001:db8::{last}").parse().unwrap())).collect();
        assert_eq!(held.len(), 2);
        let plain = share_of("10.0.0.7".parse().unwrap());
        assert_eq!(share_of("::ffff:10.0.0.7".parse().unwrap()), plain);
    }
}
