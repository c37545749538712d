//! What each function of a programme costs in what is sent: an estimate, for whoever wants to make one smaller.
//!
//! What should be here: whose the bytes are. What should not: how the programme is made (`wasm.rs`), what may be sent
//! (`build.rs`).

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

use crate::order;

/// A repeat shorter than this is sent as it is.
const REPEAT_BYTES_MIN: usize = 4;

/// So many earlier places are looked at for the longest repeat.
const PLACES_MAX: usize = 16;

/// What naming a repeat takes beside saying how far back it lies, in bits.
const REPEAT_BITS: f64 = 9.0;

/// A function, or whatever else lies in the file.
pub struct Cost {
    pub name: String,
    /// As the browser holds it.
    pub bytes: usize,
    /// As it is sent: its share of the compressed file.
    pub sent: f64,
}

/// A part of the file that compresses together.
struct Part<'a> {
    name: String,
    bytes: &'a [u8],
}

/// Of a programme with names: what each function and each other section is of the `sent` bytes, the dearest first.
pub fn of(wasm: &[u8], sent: u64) -> Result<Vec<Cost>> {
    let parts = parts(wasm)?;
    let bits = bits(&parts.iter().map(|part| part.bytes).collect::<Vec<_>>());
    let share = sent as f64 / bits.iter().sum::<f64>();
    let cost =
        |(part, bits): (Part<'_>, f64)| Cost { name: part.name, bytes: part.bytes.len(), sent: bits * share };
    let mut costs: Vec<Cost> = parts.into_iter().zip(bits).map(cost).collect();
    costs.sort_by(|one, other| other.sent.total_cmp(&one.sent));
    Ok(costs)
}

/// The same by group, each with how many parts it has; the dearest first.
pub fn grouped(costs: &[Cost], group: fn(&str) -> String) -> Vec<(usize, Cost)> {
    let mut groups: BTreeMap<String, (usize, usize, f64)> = BTreeMap::new();
    for cost in costs {
        let sum = groups.entry(group(&cost.name)).or_default();
        *sum = (sum.0 + 1, sum.1 + cost.bytes, sum.2 + cost.sent);
    }
    let of = |(name, (count, bytes, sent))| (count, Cost { name, bytes, sent });
    let mut groups: Vec<(usize, Cost)> = groups.into_iter().map(of).collect();
    groups.sort_by(|one, other| other.1.sent.total_cmp(&one.1.sent));
    groups
}

/// The crate of a function: the first word of its name that can be one.
pub fn crate_of(name: &str) -> String {
    let name = name.trim_start_matches(|sign: char| !sign.is_alphanumeric() && sign != '_');
    name.split(|sign: char| !sign.is_alphanumeric() && sign != '_').next().unwrap_or_default().to_owned()
}

/// The module or type of a function of ours anywhere in its name: a closure of `app` inside a function of a library is ours.
pub fn module_of(name: &str) -> String {
    const DEPTH: usize = 3;
    let ours = ["app::", "domain::"].iter().filter_map(|ours| name.find(ours)).min();
    match ours {
        Some(at) => {
            let end = |sign: char| !sign.is_alphanumeric() && !"_:".contains(sign);
            let path = name[at..].split(end).next().unwrap_or_default();
            path.split("::").take(DEPTH).collect::<Vec<_>>().join("::")
        }
        None => crate_of(name),
    }
}

fn parts(wasm: &[u8]) -> Result<Vec<Part<'_>>> {
    let mut imported = 0;
    let mut names: HashMap<usize, String> = HashMap::new();
    let mut bodies: Vec<&[u8]> = Vec::new();
    let mut parts = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.context("the WASM cannot be read")?;
        if let Some(part) = section(wasm, &payload) {
            parts.push(part);
        }
        if let Payload::ImportSection(imports) = payload {
            for import in imports.into_imports() {
                imported += usize::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
            }
        } else if let Payload::CodeSectionEntry(body) = payload {
            bodies.push(body.as_bytes());
        } else if let Payload::CustomSection(custom) = payload
            && let KnownCustom::Name(subsections) = custom.as_known()
        {
            for subsection in subsections {
                let Name::Function(functions) = subsection? else { continue };
                for function in functions {
                    let function = function?;
                    names.insert(function.index as usize, plain(function.name));
                }
            }
        }
    }
    parts.extend(order::order(&bodies).into_iter().map(|function| Part {
        name: names.remove(&(imported + function)).unwrap_or_default(),
        bytes: bodies[function],
    }));
    Ok(parts)
}

/// What a section is, where it lies beside the functions and is sent too.
fn section<'a>(wasm: &'a [u8], payload: &Payload<'a>) -> Option<Part<'a>> {
    let (name, range) = if let Payload::TypeSection(section) = payload {
        ("(types)", section.range())
    } else if let Payload::ImportSection(section) = payload {
        ("(imports)", section.range())
    } else if let Payload::FunctionSection(section) = payload {
        ("(types of functions)", section.range())
    } else if let Payload::ElementSection(section) = payload {
        ("(table of functions)", section.range())
    } else if let Payload::DataSection(section) = payload {
        ("(data)", section.range())
    } else {
        return None;
    };
    Some(Part { name: name.to_owned(), bytes: &wasm[range] })
}

/// A name without the hashes that tell versions of a crate apart: `[0123456789abcdef]`.
fn plain(name: &str) -> String {
    let is_hash = |word: &str| word.len() > 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut words = name.split('[');
    let mut plain = words.next().unwrap_or_default().to_owned();
    for word in words {
        match word.split_once(']') {
            Some((hash, rest)) if is_hash(hash) => plain.push_str(rest),
            Some(_) | None => {
                plain.push('[');
                plain.push_str(word);
            }
        }
    }
    plain
}

/// What each of the parts takes when they are compressed one after the other, in bits: what repeats something before is
/// named, the rest is written out.
fn bits(parts: &[&[u8]]) -> Vec<f64> {
    let all = parts.concat();
    let mut places: HashMap<&[u8], Vec<usize>> = HashMap::new();
    let (mut at, mut literals, mut taken) = (0, Vec::new(), vec![0.0; all.len()]);
    while at < all.len() {
        let (length, distance) = longest(&all, at, &places);
        let step = if length == 0 { 1 } else { length };
        match length {
            0 => literals.push(at),
            _ => taken[at] = REPEAT_BITS + (distance as f64).log2(),
        }
        for passed in at..(at + step).min(all.len().saturating_sub(REPEAT_BYTES_MIN)) {
            places.entry(&all[passed..passed + REPEAT_BYTES_MIN]).or_default().push(passed);
        }
        at += step;
    }
    let mut often = [0_usize; 256];
    literals.iter().for_each(|at| often[usize::from(all[*at])] += 1);
    for at in &literals {
        taken[*at] = (literals.len() as f64 / often[usize::from(all[*at])] as f64).log2();
    }
    let mut from = 0;
    let sum = |part: &&[u8]| {
        let bits = taken[from..from + part.len()].iter().sum();
        from += part.len();
        bits
    };
    parts.iter().map(sum).collect()
}

/// The longest repeat of something before, and how far back it lies; none is of length 0.
fn longest(all: &[u8], at: usize, places: &HashMap<&[u8], Vec<usize>>) -> (usize, usize) {
    let Some(found) = all.get(at..at + REPEAT_BYTES_MIN).and_then(|begin| places.get(begin)) else {
        return (0, 0);
    };
    let same =
        |from: usize| all[from..].iter().zip(&all[at..]).take_while(|(one, other)| one == other).count();
    let latest = found.iter().rev().take(PLACES_MAX);
    latest
        .map(|from| (same(*from), at - from))
        .max_by_key(|(length, back)| (*length, usize::MAX - back))
        .unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_something_before_costs_less_than_what_says_it_first() {
        let first = b"a case is dispatched to the department that answers for it";
        let costs = bits(&[first, b"0123456789", first]);
        assert!(costs[0] > 3.0 * costs[2] && costs[2] > 0.0, "{costs:?}");
        assert_eq!(bits(&[b"", b"abc"])[0], 0.0);
    }

    #[test]
    fn the_shares_add_up_to_what_is_sent() {
        // Nothing but the beginning of every WASM file, and one function that returns.
        let code: &[u8] = &[1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 4, 1, 2, 0, 0x0b];
        let wasm = [b"\0asm\x01\0\0\0", code].concat();
        let costs = of(&wasm, 1_000).unwrap();
        assert!((costs.iter().map(|cost| cost.sent).sum::<f64>() - 1_000.0).abs() < 0.001);
        assert!(of(b"no wasm", 1).is_err());
    }

    #[test]
    fn a_closure_inside_a_library_is_whose_it_is() {
        let name = plain(
            "<core[0123456789abcdef]::option::Option<[u8; 4]>>::map::<app[fedcba987654321]::desk::row::Row>",
        );
        assert_eq!(name, "<core::option::Option<[u8; 4]>>::map::<app::desk::row::Row>");
        assert_eq!((crate_of(&name).as_str(), module_of(&name).as_str()), ("core", "app::desk::row"));
        assert_eq!(module_of("tachys::view::any_view::build"), "tachys");
        let cost = |name: &str, sent| Cost { name: name.to_owned(), bytes: 2, sent };
        let groups = grouped(&[cost("core::a", 1.0), cost("app::b", 5.0), cost("core::c", 2.0)], crate_of);
        let said: Vec<_> =
            groups.iter().map(|(parts, cost)| (*parts, cost.name.as_str(), cost.bytes)).collect();
        assert_eq!(said, [(1, "app", 2), (2, "core", 4)]);
    }
}
