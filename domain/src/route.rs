//! The addresses of pages: one type that is printed and read again, so that no address is put together by hand.
//!
//! What should be here: which pages there are and how their addresses are written. What should not: addresses of the
//! API, and what a page does with its own (the desk's filters are text here).

use std::fmt::{self, Display};

use crate::code::CaseId;
use crate::moment::UtcMillis;
use crate::role::Role;
use crate::world::WorldId;

/// A page. Printed as its address in the hall's own world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Home,
    SignIn {
        /// Where to go afterwards: an address of a page.
        then: Option<String>,
    },
    /// 配对: a wall's screen asks to be let in.
    Pair,
    Kiosks,
    Wall {
        /// As it stands in addresses.
        wall: String,
        /// What the address asks for besides, as language or place, without `?`.
        query: String,
    },
    Desk {
        case: Option<CaseId>,
        /// The list's filters, without `?`.
        query: String,
    },
    /// 责任单位席: the cases a department is to do something for, one of them open.
    Department {
        case: Option<CaseId>,
    },
    /// 演练: the drills there are and what prepares one; in a drill's world, its director's page.
    Drill,
    /// 复盘: choose an interval of the past, or drive the one that is open.
    Replay {
        world: Option<WorldId>,
        past: Past,
    },
}

/// What a replay's address asks for. All of it outlasts the server's replays, so that an address can be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Past {
    pub from: Option<UtcMillis>,
    pub to: Option<UtcMillis>,
    /// Stands still at this instant.
    pub at: Option<UtcMillis>,
}

/// The wall every hall has.
pub const MAIN_WALL: &str = "main";

// Addresses by themselves: a programme that goes to two pages holds what writes those two, and not all of [`Route`].

pub const HOME: &str = "/";
pub const PAIR: &str = "/pair";
const WALL: &str = "/wall/";
const DESK: &str = "/desk";
const CASE: &str = "/desk/case/";
const DEPARTMENT: &str = "/department";
const DEPARTMENT_CASE: &str = "/department/case/";
const DRILL: &str = "/drill";

/// A wall in the world whose addresses begin with `base`.
#[must_use]
pub fn wall(base: &str, wall: &str, query: &str) -> String {
    asking([base, WALL, wall].concat(), query)
}

/// The desk in the world whose addresses begin with `base`: its list, with a case beside it.
#[must_use]
pub fn desk(base: &str, case: Option<CaseId>, query: &str) -> String {
    let page = match case {
        Some(case) => [base, CASE, &case.to_string()].concat(),
        None => [base, DESK].concat(),
    };
    asking(page, query)
}

/// The department's seat in the world whose addresses begin with `base`: its cases, and the one that is open.
#[must_use]
pub fn department(base: &str, case: Option<CaseId>) -> String {
    match case {
        Some(case) => [base, DEPARTMENT_CASE, &case.to_string()].concat(),
        None => [base, DEPARTMENT].concat(),
    }
}

/// Where somebody with these roles begins who has asked for no page: a department has one seat and no other.
#[must_use]
pub fn first(roles: &[Role]) -> Route {
    if roles == [Role::Department] { Route::Department { case: None } } else { Route::Home }
}

/// The drills, or the director's page in the world whose addresses begin with `base`.
#[must_use]
pub fn drill(base: &str) -> String {
    [base, DRILL].concat()
}

/// Signing in, and then back to `then`.
#[must_use]
pub fn sign_in(then: &str) -> String {
    ["/sign-in?then=", &encoded(then)].concat()
}

fn asking(page: String, query: &str) -> String {
    if query.is_empty() { page } else { [&page, "?", query].concat() }
}

/// The case of an address of the desk in the world whose addresses begin with `base`; none where it is no such address.
#[must_use]
pub fn desk_case(base: &str, address: &str) -> Option<Option<CaseId>> {
    case_of(base, address, DESK, CASE)
}

/// The same of the department's seat.
#[must_use]
pub fn department_case(base: &str, address: &str) -> Option<Option<CaseId>> {
    case_of(base, address, DEPARTMENT, DEPARTMENT_CASE)
}

fn case_of(base: &str, address: &str, page: &str, of_case: &str) -> Option<Option<CaseId>> {
    let path = address.strip_prefix(base)?.split(['?', '#']).next()?;
    match path.strip_prefix(of_case) {
        Some(case) => Some(Some(CaseId(number(case)?))),
        None => (path == page).then_some(None),
    }
}

/// The wall of a wall's address in the world whose addresses begin with `base`, as it stands there.
#[must_use]
pub fn wall_of<'a>(base: &str, address: &'a str) -> Option<&'a str> {
    let path = address.strip_prefix(base)?.split(['?', '#']).next()?;
    path.strip_prefix(WALL).filter(|wall| is_name(wall) && !wall.contains('/'))
}

/// Longest address that is read, in bytes: a desk's filters with every field full stay below.
pub const ADDRESS_BYTES_MAX: usize = 4_096;

impl Route {
    /// The world and the page of an address, written as the hall writes it. Anything else is no page: browsers take `\`
    /// for `/` and drop tabs and line breaks, so that `/\evil.example` leads away.
    #[must_use]
    pub fn parse(address: &str) -> Option<(Option<WorldId>, Self)> {
        let is_written = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if !is_written || address.len() > ADDRESS_BYTES_MAX {
            return None;
        }
        let address = address.split('#').next().unwrap_or_default();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        match path.strip_prefix("/world/") {
            None => Self::of(path, query).map(|route| (None, route)),
            Some(rest) => {
                let (world, _) = rest.split_once('/')?;
                let route = Self::of(&rest[world.len()..], query)?;
                let world = world.parse().ok()?;
                matches!(route, Self::Wall { .. } | Self::Desk { .. } | Self::Department { .. } | Self::Drill)
                    .then_some((Some(world), route))
            }
        }
    }

    fn of(path: &str, query: &str) -> Option<Self> {
        let (mut parts, query) = (path.strip_prefix('/')?.split('/'), query.to_owned());
        let mut next = || parts.next().unwrap_or_default();
        let (page, first, second) = (next(), next(), next());
        if parts.next().is_some() {
            return None;
        }
        let alone = path.len() == page.len() + 1;
        Some(match (page, first, second) {
            ("", ..) if alone => Self::Home,
            ("sign-in", ..) if alone => Self::SignIn { then: parameter(&query, "then").map(decoded) },
            ("pair", ..) if alone => Self::Pair,
            ("kiosks", ..) if alone => Self::Kiosks,
            ("wall", "", "") if path.len() <= "/wall/".len() => {
                Self::Wall { wall: MAIN_WALL.to_owned(), query }
            }
            ("wall", wall, "") if is_name(wall) && !path.ends_with('/') => {
                Self::Wall { wall: wall.to_owned(), query }
            }
            ("desk", ..) => Self::Desk { case: desk_case("", path)?, query },
            ("department", ..) => Self::Department { case: department_case("", path)? },
            ("drill", ..) if alone => Self::Drill,
            ("replay", ..) if alone => Self::Replay { world: None, past: Past::read(&query)? },
            ("replay", world, "") if !path.ends_with('/') => {
                Self::Replay { world: Some(world.parse().ok()?), past: Past::read(&query)? }
            }
            _ => return None,
        })
    }
}

impl Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home => f.write_str(HOME),
            Self::SignIn { then: None } => f.write_str("/sign-in"),
            Self::SignIn { then: Some(then) } => f.write_str(&sign_in(then)),
            Self::Pair => f.write_str(PAIR),
            Self::Kiosks => f.write_str("/kiosks"),
            Self::Drill => f.write_str(DRILL),
            Self::Wall { wall, query } => f.write_str(&self::wall("", wall, query)),
            Self::Desk { case, query } => f.write_str(&desk("", *case, query)),
            Self::Department { case } => f.write_str(&department("", *case)),
            Self::Replay { world, past } => {
                let page = match world {
                    Some(world) => ["/replay/", world.as_str()].concat(),
                    None => "/replay".to_owned(),
                };
                f.write_str(&asking(page, &past.query()))
            }
        }
    }
}

impl Past {
    /// None where a time is no time of the hall (milliseconds since 1970, to 2199): an address that is half understood
    /// would show another hour than was meant.
    fn read(query: &str) -> Option<Self> {
        let time = |name| match parameter(query, name) {
            None => Some(None),
            Some(text) => {
                let at = UtcMillis(i64::try_from(number(text)?).ok()?);
                at.is_possible().then_some(Some(at))
            }
        };
        Some(Self { from: time("from")?, to: time("to")?, at: time("at")? })
    }

    fn query(self) -> String {
        let parts = [("from", self.from), ("to", self.to), ("at", self.at)];
        let parts: Vec<String> =
            parts.into_iter().filter_map(|(name, at)| Some(format!("{name}={}", at?.0))).collect();
        parts.join("&")
    }
}

/// A parameter of a query, as it stands there; the first of its name.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Digits alone: no sign, no space.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Not empty, and no step to another folder.
fn is_name(text: &str) -> bool {
    text.bytes().any(|byte| byte != b'.')
}

/// As a part of a query: letters and digits as they are, the rest in hexadecimal.
#[must_use]
pub fn encoded(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

/// The text of a part of a query; what is not written in hexadecimal stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let hex = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests;
