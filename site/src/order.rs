//! The functions of a WASM file in the order in which they compress best: each beside the one it shares most with.
//!
//! Generic code comes out many times over with small differences. The linker lets those copies lie wherever they fall and
//! wasm-bindgen sorts by size; side by side, brotli takes a twenty-fifth less for the same functions.
//!
//! What should be here: which order, and the names by which wasm-opt sorts. What should not: wasm-opt (`wasm.rs`).

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use wasmparser::{Parser, Payload, TypeRef};

/// What two functions have in common is counted in pieces of so many bytes: an instruction or two.
const PIECE_BYTES: usize = 5;

/// A piece that more functions hold than this tells none of them apart and only costs time.
const HOLDERS_MAX: usize = 1_000;

/// The subsection of functions' names, in the section `name`.
const FUNCTION_NAMES: u8 = 1;

/// The same programme with names that stand in the order its functions should have, for
/// `wasm-opt --reorder-functions-by-name`. What had names before is refused: two names would be one too many.
pub fn name_by_place(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut imported: u32 = 0;
    let mut bodies: Vec<&[u8]> = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.context("the WASM cannot be read")?;
        if let Payload::ImportSection(imports) = payload {
            for import in imports.into_imports() {
                if let TypeRef::Func(_) | TypeRef::FuncExact(_) = import?.ty {
                    imported += 1;
                }
            }
        } else if let Payload::CodeSectionEntry(body) = payload {
            bodies.push(body.as_bytes());
        } else if let Payload::CustomSection(section) = payload {
            ensure!(section.name() != "name", "the WASM has names already");
        }
    }
    let mut names = Vec::new();
    let places = places(&order(&bodies));
    put_number(&mut names, places.len());
    for (function, place) in places.iter().enumerate() {
        put_number(&mut names, imported as usize + function);
        put_bytes(&mut names, format!("f{place:08}").as_bytes());
    }
    let mut section = Vec::new();
    put_bytes(&mut section, b"name");
    section.push(FUNCTION_NAMES);
    put_bytes(&mut section, &names);
    let mut named = wasm.to_vec();
    // A custom section.
    named.push(0);
    put_bytes(&mut named, &section);
    Ok(named)
}

/// Where each function goes, when `order` says which comes when.
fn places(order: &[usize]) -> Vec<usize> {
    let mut places = vec![0; order.len()];
    for (place, function) in order.iter().enumerate() {
        places[*function] = place;
    }
    places
}

/// From the largest on always the one that has most in common with the last; where none has anything, the largest left.
/// The same functions always come in the same order.
pub fn order(bodies: &[&[u8]]) -> Vec<usize> {
    let pieces = Pieces::of(bodies);
    let mut by_size: Vec<usize> = (0..bodies.len()).collect();
    by_size.sort_by_key(|function| std::cmp::Reverse(bodies[*function].len()));
    let mut by_size = by_size.into_iter();
    let mut placed = vec![false; bodies.len()];
    let mut order = Vec::with_capacity(bodies.len());
    let mut shared = vec![0_usize; bodies.len()];
    let mut next = by_size.next();
    while let Some(function) = next {
        placed[function] = true;
        order.push(function);
        next = pieces.nearest(function, &placed, &mut shared).or_else(|| by_size.find(|left| !placed[*left]));
    }
    order
}

/// Which function holds which pieces.
struct Pieces {
    /// Of each function: where the holders of each of its pieces stand.
    of: Vec<Vec<Range<usize>>>,
    holders: Vec<usize>,
}

impl Pieces {
    fn of(bodies: &[&[u8]]) -> Self {
        let mut held: Vec<(&[u8], usize)> = Vec::new();
        for (function, body) in bodies.iter().enumerate() {
            let pieces: BTreeSet<&[u8]> = body.windows(PIECE_BYTES).collect();
            held.extend(pieces.into_iter().map(|piece| (piece, function)));
        }
        held.sort_unstable();
        let mut of = vec![Vec::new(); bodies.len()];
        let mut from = 0;
        for same in held.chunk_by(|one, other| one.0 == other.0) {
            for (_, function) in same {
                of[*function].push(from..from + same.len());
            }
            from += same.len();
        }
        Self { of, holders: held.into_iter().map(|(_, function)| function).collect() }
    }

    /// The function that is not placed yet and has the largest share of pieces in common with this one. `shared` is all
    /// zeros before and after.
    fn nearest(&self, function: usize, placed: &[bool], shared: &mut [usize]) -> Option<usize> {
        let mut met = Vec::new();
        for holders in self.of[function].iter().filter(|holders| holders.len() <= HOLDERS_MAX) {
            for holder in self.holders[holders.clone()].iter().filter(|holder| !placed[**holder]) {
                if shared[*holder] == 0 {
                    met.push(*holder);
                }
                shared[*holder] += 1;
            }
        }
        // Shares are compared as fractions, common of all: a/b > c/d is ad > cb.
        let mut best: Option<(usize, usize, usize)> = None;
        for other in met {
            let common = std::mem::take(&mut shared[other]);
            let all = self.of[function].len() + self.of[other].len() - common;
            let better = best.is_none_or(|(_, most, of)| common * of > most * all);
            if better {
                best = Some((other, common, all));
            }
        }
        best.map(|(other, ..)| other)
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// LEB128, as all numbers of WASM.
fn put_number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_resembles_each_other_stands_side_by_side() {
        let cases: [&[u8]; 6] = [
            b"open the case and count",
            b"draw a mark on the map at all zooms",
            b"open the case and close",
            b"draw a mark on the map at once",
            b"zz",
            b"",
        ];
        assert_eq!(order(&cases), [1, 3, 0, 2, 4, 5]);
        assert_eq!(places(&[2, 0, 1]), [1, 2, 0]);
        assert!(order(&[]).is_empty());
    }

    /// Two imports, three functions; the last two are alike.
    const PROGRAMME: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0d\x02\x01a\x01f\0\0\x01a\x01g\0\0\
        \x03\x04\x03\0\0\0\x0a\x1a\x03\x02\0\x0b\x0a\0\x10\0\x10\0\x10\0\x10\0\x0b\x0a\0\x10\0\x10\0\x10\0\x10\x01\x0b";

    #[test]
    fn every_function_gets_the_name_of_its_place_and_what_is_imported_none() {
        let named = name_by_place(PROGRAMME).unwrap();
        let (programme, section) = named.split_at(PROGRAMME.len());
        assert_eq!(programme, PROGRAMME, "nothing else changes");
        let text = String::from_utf8_lossy(section);
        // The first function is the third of the programme, after both imports; it is small and comes last.
        assert!(text.starts_with("\0\x29\x04name\x01\x22\x03\x02\x09f00000002\x03\x09f00000000"), "{text:?}");
        assert!(name_by_place(&named).is_err(), "names are given once");
        assert!(name_by_place(b"none").is_err());
    }

    #[test]
    fn numbers_are_written_as_webassembly_has_them() {
        let written = |number| {
            let mut out = Vec::new();
            put_number(&mut out, number);
            out
        };
        assert_eq!([written(0), written(127)], [[0], [127]]);
        assert_eq!([written(128), written(624_485)].concat(), [0x80, 0x01, 0xe5, 0x8e, 0x26]);
    }
}
