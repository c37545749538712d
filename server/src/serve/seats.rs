//! Seats (席位): who holds a connection, and who gives way when there are no more.
//!
//! A connection is unproved until a request on it shows a session or a token. Unproved ones of one address hold an
//! eighth of all seats at most, and each lives a minute at most; when seats run out, the oldest of them is closed, so
//! that nobody who only holds on keeps anybody out. Proved ones of one address hold half of all seats at most: a hall
//! behind one address has all its screens there.
//!
//! What should not be here: sockets and HTTP (`connections`).

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::lock::lock;

/// Unproved connections of one address: one in so many of all seats.
const UNPROVED_SHARE: usize = 8;
/// Proved ones of one address.
const PROVED_SHARE: usize = 2;
/// How many of the oldest are looked at for one that is between two requests, before the oldest of all is closed.
const LOOKED_AT: usize = 64;

/// All seats; clones share them.
#[derive(Debug, Clone)]
pub struct Seats(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max: usize,
    taken: Mutex<Taken>,
    /// A seat was given back.
    given_back: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    /// Numbers given so far: a lower one is older.
    last: u64,
    all: usize,
    unproved: BTreeMap<u64, Unproved>,
    of_address: HashMap<IpAddr, Held>,
}

#[derive(Debug)]
struct Unproved {
    address: IpAddr,
    in_request: Arc<AtomicBool>,
    end: CancellationToken,
}

#[derive(Debug, Default)]
struct Held {
    unproved: usize,
    proved: usize,
}

/// Whose a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Unproved,
    Proved(IpAddr),
    /// A configured proxy's: it serves many, and only those it states count.
    Proxy,
}

/// One seat; its requests carry it, and the connection keeps it as long as it lives.
#[derive(Debug, Clone)]
pub struct Seat(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    seats: Seats,
    number: u64,
    address: IpAddr,
    owner: Mutex<Owner>,
    in_request: Arc<AtomicBool>,
    end: CancellationToken,
}

impl Seats {
    #[must_use]
    pub fn new(max: u32) -> Self {
        let shared = Shared { max: max as usize, taken: Mutex::default(), given_back: Notify::new() };
        Self(Arc::new(shared))
    }

    fn share(&self, of: usize) -> usize {
        (self.0.max / of).max(1)
    }

    /// Takes a seat for a connection that has proved nothing. Whoever must give way for it is told to; the caller
    /// waits for it with [`Self::until_room`].
    #[must_use]
    pub fn take(&self, address: IpAddr) -> Seat {
        let address = one_sender(address);
        let (in_request, end) = (Arc::new(AtomicBool::new(false)), CancellationToken::new());
        let mut taken = lock(&self.0.taken);
        taken.last += 1;
        taken.all += 1;
        let number = taken.last;
        if taken.held(address).unproved >= self.share(UNPROVED_SHARE) {
            taken.close_oldest(|unproved| unproved.address == address);
            metrics::counter!("gridhall_connections_closed_total", "why" => "address").increment(1);
        } else if taken.all > self.0.max && taken.close_oldest(|_| true) {
            metrics::counter!("gridhall_connections_closed_total", "why" => "full").increment(1);
        }
        taken.held(address).unproved += 1;
        let unproved = Unproved { address, in_request: in_request.clone(), end: end.clone() };
        taken.unproved.insert(number, unproved);
        drop(taken);
        let owner = Mutex::new(Owner::Unproved);
        Seat(Arc::new(Kept { seats: self.clone(), number, address, owner, in_request, end }))
    }

    /// More connections than seats: the newest must wait until another has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        lock(&self.0.taken).all > self.0.max
    }

    /// Waits until there are no more connections than seats.
    pub async fn until_room(&self) {
        while self.is_over() {
            self.0.given_back.notified().await;
        }
    }
}

impl Taken {
    fn held(&mut self, address: IpAddr) -> &mut Held {
        self.of_address.entry(address).or_default()
    }

    fn give_back(&mut self, address: IpAddr, give: impl Fn(&mut Held)) {
        if let Some(held) = self.of_address.get_mut(&address) {
            give(held);
            if held.unproved == 0 && held.proved == 0 {
                self.of_address.remove(&address);
            }
        }
    }

    /// Closes the oldest that is between two requests, else the oldest; it gives its seat back once it has ended.
    fn close_oldest(&mut self, among: impl Fn(&Unproved) -> bool) -> bool {
        let mut candidates = self.unproved.iter().filter(|(_, one)| among(one)).take(LOOKED_AT).peekable();
        let oldest = candidates.peek().map(|(number, _)| **number);
        let idle = candidates.find(|(_, one)| !one.in_request.load(Ordering::Relaxed));
        let Some(number) = idle.map(|(number, _)| *number).or(oldest) else { return false };
        self.forget(number);
        true
    }

    /// Takes it from those that have proved nothing.
    fn forget(&mut self, number: u64) {
        if let Some(gone) = self.unproved.remove(&number) {
            gone.end.cancel();
            self.give_back(gone.address, |held| held.unproved -= 1);
        }
    }
}

impl Seat {
    /// The connection comes from a configured proxy.
    pub fn is_proxys(&self) {
        let mut owner = lock(&self.0.owner);
        let mut taken = lock(&self.0.seats.0.taken);
        if taken.unproved.remove(&self.0.number).is_some() {
            taken.give_back(self.0.address, |held| held.unproved -= 1);
        }
        *owner = Owner::Proxy;
    }

    /// A request has shown who sends it. False when the sender's address holds its share already: the request is then to
    /// be refused.
    #[must_use]
    pub fn prove(&self, sender: IpAddr) -> bool {
        let sender = one_sender(sender);
        let mut owner = lock(&self.0.owner);
        if *owner == Owner::Proved(sender) {
            return true;
        }
        let seats = &self.0.seats;
        let mut taken = lock(&seats.0.taken);
        if taken.held(sender).proved >= seats.share(PROVED_SHARE) {
            taken.give_back(sender, |_| {});
            metrics::counter!("gridhall_connections_refused_total").increment(1);
            return false;
        }
        match *owner {
            Owner::Unproved => {
                if taken.unproved.remove(&self.0.number).is_some() {
                    taken.give_back(self.0.address, |held| held.unproved -= 1);
                }
            }
            Owner::Proved(before) => taken.give_back(before, |held| held.proved -= 1),
            Owner::Proxy => {}
        }
        taken.held(sender).proved += 1;
        *owner = Owner::Proved(sender);
        true
    }

    /// Whether nothing has been proved on it.
    #[must_use]
    pub fn is_unproved(&self) -> bool {
        *lock(&self.0.owner) == Owner::Unproved
    }

    /// While this is kept, a request is under way.
    #[must_use]
    pub fn in_request(&self) -> InRequest {
        self.0.in_request.store(true, Ordering::Relaxed);
        InRequest(self.0.in_request.clone())
    }

    /// Ends when the connection must give way.
    pub async fn given_way(&self) {
        self.0.end.cancelled().await;
    }
}

/// Marks a request under way.
#[derive(Debug)]
pub struct InRequest(Arc<AtomicBool>);

impl Drop for InRequest {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let owner = *lock(&self.owner);
        let mut taken = lock(&self.seats.0.taken);
        taken.all -= 1;
        match owner {
            Owner::Unproved => taken.forget(self.number),
            Owner::Proved(sender) => taken.give_back(sender, |held| held.proved -= 1),
            Owner::Proxy => {}
        }
        drop(taken);
        self.seats.0.given_back.notify_one();
    }
}

/// What counts as one sender: an IPv4 address however it is written, the network of 64 bits that one IPv6 host has.
fn one_sender(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn is_told_to_go(seat: &Seat) -> bool {
        seat.0.end.is_cancelled()
    }

    fn count(seats: &Seats) -> (usize, usize, usize) {
        let taken = lock(&seats.0.taken);
        (taken.all, taken.unproved.len(), taken.of_address.len())
    }

    #[test]
    fn the_oldest_of_an_address_gives_way_to_its_newest_and_to_nobody_elses() {
        let seats = Seats::new(80);
        let one = seats.take(address(1));
        let many: Vec<Seat> = (0..25).map(|_| seats.take(address(2))).collect();
        assert!(!is_told_to_go(&one));
        assert_eq!(many.iter().filter(|seat| is_told_to_go(seat)).count(), 15, "ten of eighty stay");
        assert!(many[..15].iter().all(is_told_to_go), "the oldest");
        drop((one, many));
        assert_eq!(count(&seats), (0, 0, 0));
    }

    #[test]
    fn a_request_under_way_is_not_cut_while_others_only_hold_on() {
        let seats = Seats::new(16);
        let busy = seats.take(address(1));
        let under_way = busy.in_request();
        let idle = seats.take(address(1));
        let next = seats.take(address(1));
        assert!(is_told_to_go(&idle) && !is_told_to_go(&busy) && !is_told_to_go(&next));
        drop(under_way);
        let _newest = seats.take(address(1));
        assert!(is_told_to_go(&busy), "answered, it is the oldest that holds on");
    }

    #[test]
    fn when_all_seats_are_taken_the_oldest_unproved_gives_way_and_never_a_proved_one() {
        let seats = Seats::new(16);
        let proved = seats.take(address(1));
        assert!(proved.prove(address(1)));
        let held: Vec<Seat> = (2..17).map(|last| seats.take(address(last))).collect();
        assert!(!seats.is_over());
        let newcomer = seats.take(address(99));
        assert!(seats.is_over(), "until the oldest has gone");
        assert!(is_told_to_go(&held[0]) && !is_told_to_go(&proved) && !is_told_to_go(&newcomer));
        drop(held);
        assert!(!seats.is_over());
    }

    #[test]
    fn one_address_proves_half_of_all_seats_at_most() {
        let seats = Seats::new(16);
        let proved: Vec<Seat> = (0..8)
            .map(|_| {
                let seat = seats.take(address(1));
                assert!(seat.prove(address(1)) && seat.prove(address(1)));
                seat
            })
            .collect();
        let ninth = seats.take(address(1));
        assert!(!ninth.prove(address(1)));
        assert!(seats.take(address(2)).prove(address(2)));
        drop((proved, ninth));
        assert_eq!(count(&seats), (0, 0, 0));
    }

    #[test]
    fn behind_a_proxy_whom_it_states_counts() {
        let seats = Seats::new(16);
        let proxied: Vec<Seat> = (0..16).map(|_| seats.take(address(200))).collect();
        proxied.iter().for_each(Seat::is_proxys);
        assert_eq!(count(&seats), (16, 0, 0));
        assert!(proxied[..8].iter().all(|seat| seat.prove(address(1))));
        assert!(!proxied[8].prove(address(1)));
        assert!(proxied[8].prove(address(2)));
        // The connection serves the next person.
        assert!(proxied[0].prove(address(2)) && proxied[9].prove(address(1)));
        drop(proxied);
        assert_eq!(count(&seats), (0, 0, 0));
    }

    #[test]
    fn one_host_is_one_sender() {
        let parse = |text: &str| one_sender(text.parse().unwrap());
        assert_eq!(parse("::ffff:10.0.0.1"), address(1));
        assert_eq!(parse("2001:db8:1:2:3::4"), parse("2001:db8:1:2::9"));
        assert_ne!(parse("2001:db8:1:2::"), parse("2001:db8:1:3::"));
    }
}
