//! Open cases as marks: urgent ones by themselves, ordinary neighbours as one square.
//!
//! A square's cases are those of one piece of one district. A case that comes or goes changes the square of its own piece
//! and no other, so that the map stands still around it.

use super::view::Spot;

/// Most squares of ordinary cases on a whole city; more cannot be told apart.
const SQUARES_MAX: usize = 110;
/// Up to so many ordinary cases each has its own square; nearer than this zoom too.
const EACH_UP_TO: usize = 60;
const EACH_FROM_ZOOM: f64 = 13.5;
/// The part by which the number of squares may pass what it should be before the step changes.
const HOLD: f64 = 0.15;
/// A step is so much more than the one before it.
const STEP: f64 = 1.4;
/// Pairs of bits of a place's code, and the part of the world that they divide: a city and what is around it.
const PAIRS: u32 = 16;
const CITIES: f64 = 16.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    /// Grows with the time of its report.
    pub id: u64,
    pub spot: Spot,
    /// 1 (most urgent) to 4.
    pub priority: u8,
    /// Number of the district it is counted in.
    pub area: u32,
}

/// Ordinary cases under one square.
#[derive(Debug, Clone, PartialEq)]
pub struct Square {
    /// Where its oldest case is: that one stays longest.
    pub spot: Spot,
    pub id: u64,
    /// Places in the list of cases.
    pub members: Vec<u32>,
}

/// How many ordinary cases one square stands for at most; `before` holds while it nearly fits.
#[must_use]
pub fn per_square(count: usize, least: u32, zoom: f64, before: u32) -> u32 {
    if zoom > EACH_FROM_ZOOM || count <= EACH_UP_TO {
        return 1;
    }
    let squares = |per: f64| count as f64 / per / SQUARES_MAX as f64;
    let mut per = f64::from(least.max(1));
    while squares(per) > 1.0 {
        let next = (per * STEP).round();
        let held = before == per as u32 && squares(per) <= 1.0 + HOLD;
        let held_above = before == next as u32 && squares(per) > 1.0 - HOLD;
        if held && !held_above {
            break;
        }
        per = next;
    }
    // One step up holds until the lower one fits with room to spare.
    let above = (per * STEP).round() as u32;
    if before == above && squares(per) > 1.0 - HOLD { above } else { per as u32 }
}

/// Ordinary cases in squares of neighbours, at most `per` each; the order is that of the ground.
#[must_use]
pub fn squares(cases: &[Case], per: u32, urgent_max: u8) -> Vec<Square> {
    let mut codes: Vec<(u32, u32, u32)> = Vec::new();
    for (index, case) in cases.iter().enumerate().filter(|(_, case)| case.priority > urgent_max) {
        codes.push((case.area, code(case.spot), index as u32));
    }
    codes.sort_unstable();
    let mut squares = Vec::new();
    for area in codes.chunk_by(|a, b| a.0 == b.0) {
        split(cases, area, per.max(1) as usize, PAIRS, &mut squares);
    }
    squares
}

/// A piece that holds too many falls into its four quarters; quarters side by side that fit together stay together.
fn split(cases: &[Case], piece: &[(u32, u32, u32)], per: usize, pairs: u32, squares: &mut Vec<Square>) {
    if piece.len() <= per || pairs == 0 {
        squares.extend(piece.chunks(per).map(|piece| square(cases, piece)));
        return;
    }
    let quarter = |code: u32| code >> (2 * (pairs - 1)) & 3;
    let mut begin = 0;
    while begin < piece.len() {
        let mut end = begin;
        for quarter in piece[begin..].chunk_by(|a, b| quarter(a.1) == quarter(b.1)) {
            if end > begin && end - begin + quarter.len() > per {
                break;
            }
            end += quarter.len();
        }
        let part = &piece[begin..end];
        split(cases, part, per, if part.len() > per { pairs - 1 } else { pairs }, squares);
        begin = end;
    }
}

fn square(cases: &[Case], piece: &[(u32, u32, u32)]) -> Square {
    let members: Vec<u32> = piece.iter().map(|(_, _, index)| *index).collect();
    let oldest = members.iter().map(|index| &cases[*index as usize]).min_by_key(|case| case.id);
    let oldest = oldest.expect("a piece that is split has cases");
    Square { spot: oldest.spot, id: oldest.id, members }
}

/// Position along a Z-shaped curve: neighbours on it are neighbours on the ground.
fn code(spot: Spot) -> u32 {
    let spread = |value: f64| {
        let mut bits = ((value * CITIES).fract() * 65_536.0) as u32;
        bits = (bits | bits << 8) & 0x00ff_00ff;
        bits = (bits | bits << 4) & 0x0f0f_0f0f;
        bits = (bits | bits << 2) & 0x3333_3333;
        (bits | bits << 1) & 0x5555_5555
    };
    spread(spot.x) | spread(spot.y) << 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(count: u64) -> Vec<Case> {
        let case = |id: u64| {
            let (x, y) = ((id * 7_919) % 1_000, (id * 104_729) % 997);
            let spot = Spot::of_degrees(102.55 + x as f64 / 3_000.0, 24.9 + y as f64 / 3_500.0);
            Case { id, spot, priority: 4, area: (x / 334) as u32 }
        };
        (1..=count).map(case).collect()
    }

    #[test]
    fn every_case_is_under_one_square_of_its_own_district_and_none_is_too_full() {
        let cases = cases(1_800);
        let squares = squares(&cases, 18, 3);
        let mut seen: Vec<u32> = squares.iter().flat_map(|square| square.members.clone()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..1_800).collect::<Vec<u32>>());
        assert!(squares.iter().all(|square| square.members.len() <= 18));
        assert!(squares.len() < 220, "{}", squares.len());
        for square in &squares {
            let area = |index: &u32| cases[*index as usize].area;
            assert!(square.members.iter().all(|index| area(index) == area(&square.members[0])));
        }
    }

    #[test]
    fn a_new_case_moves_no_square_but_perhaps_those_of_its_own_piece() {
        let mut cases = cases(1_800);
        let before: Vec<u64> = squares(&cases, 18, 3).iter().map(|square| square.id).collect();
        cases.push(Case { id: 1_801, ..cases[77] });
        let after = squares(&cases, 18, 3);
        let moved = after.iter().filter(|square| !before.contains(&square.id)).count();
        assert!(moved <= 4, "{moved} squares moved");
    }

    #[test]
    fn the_number_a_square_stands_for_holds_while_cases_come_and_go() {
        assert_eq!(per_square(50, 14, 11.0, 0), 1);
        assert_eq!(per_square(5_000, 14, 14.0, 0), 1);
        assert_eq!(per_square(1_000, 14, 11.0, 0), 14);
        let high = per_square(1_600, 14, 11.0, 14);
        assert_eq!(high, 14, "it holds a little beyond its limit");
        let higher = per_square(1_900, 14, 11.0, 14);
        assert_eq!(higher, 20);
        assert_eq!(per_square(1_500, 14, 11.0, higher), 20, "and holds on the way back");
        assert_eq!(per_square(1_200, 14, 11.0, higher), 14);
    }
}
