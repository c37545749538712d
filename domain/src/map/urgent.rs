//! Urgent cases: each where it is, one mark for those of one priority that would lie on each other, and the less urgent
//! beside the more urgent. How many lie under one mark stands at its side.

use super::item::{Align, Mark, Placed, Ruler, Run, Style, Word};
use super::rect::Rect;
use super::room::{Room, Taker};
use super::scene::Scene;
use super::seek::{Keeper, Wish};
use super::view::{Px, View};

/// Sizes of the marks of priority 1, 2 and 3, and of the words at their side, in units.
const SIZES: [f64; 3] = [46.0, 36.0, 28.0];
const TIMES_SIZE: f64 = 24.0;
/// Beside another mark rather than far from where it is.
const STEP: f64 = 6.0;
const REACH: f64 = 240.0;
/// What another place must save before a mark moves to it.
const MARGIN: f64 = 12.0;

struct Stack {
    id: u64,
    priority: u8,
    truth: Px,
    members: Vec<u32>,
}

/// Places urgent marks, most urgent first, and takes their room.
pub fn place(scene: &Scene, view: &View, keeper: &mut Keeper<u64>, room: &mut Room) -> Vec<(u64, Placed)> {
    let mut placed = Vec::new();
    for stack in stacks(scene, view) {
        let half = half(stack.priority, scene.unit);
        let wish = Wish {
            home: stack.truth,
            frame: stack.truth,
            half_width: half + 2.0 * scene.unit,
            half_height: half + 2.0 * scene.unit,
            step: STEP * scene.unit,
            reach: REACH * scene.unit,
        };
        let found = keeper.place(stack.id, &wish, room, MARGIN * scene.unit, |_| Some(0.0));
        let at = found.map_or(stack.truth, |found| found.at);
        let mark = Mark::Urgent { priority: stack.priority, members: stack.members };
        let mark = Placed { mark, at, half };
        room.take(mark.rect(), Taker::Fixed);
        placed.push((stack.id, mark));
    }
    placed
}

fn half(priority: u8, unit: f64) -> f64 {
    SIZES[usize::from(priority.clamp(1, 3)) - 1] * unit / 2.0
}

fn stacks(scene: &Scene, view: &View) -> Vec<Stack> {
    let urgent = |index: &u32| scene.cases[*index as usize].priority <= scene.urgent_max;
    let mut order: Vec<u32> = (0..scene.cases.len() as u32).filter(urgent).collect();
    order.sort_by_key(|index| {
        let case = &scene.cases[*index as usize];
        (case.priority, case.id)
    });
    let mut stacks: Vec<Stack> = Vec::new();
    for index in order {
        let case = &scene.cases[index as usize];
        let truth = view.at(case.spot);
        let half = half(case.priority, scene.unit);
        if !view.sees(truth, half) {
            continue;
        }
        let lies_on = |stack: &&mut Stack| {
            let apart = (stack.truth.x - truth.x).abs().max((stack.truth.y - truth.y).abs());
            stack.priority == case.priority && apart < 2.0 * half
        };
        match stacks.iter_mut().find(lies_on) {
            Some(stack) => stack.members.push(index),
            None => stacks.push(Stack { id: case.id, priority: case.priority, truth, members: vec![index] }),
        }
    }
    stacks
}

/// `×3` at the side of a mark where it hides nothing; on the mark's own foot where every side is taken.
pub fn times(
    placed: &[(u64, Placed)],
    unit: f64,
    keeper: &mut Keeper<u64>,
    room: &mut Room,
    ruler: &mut impl Ruler,
) -> Vec<Word> {
    let size = TIMES_SIZE * unit;
    let mut words = Vec::new();
    for (id, placed) in placed {
        let Mark::Urgent { priority, members } = &placed.mark else { continue };
        if members.len() < 2 {
            continue;
        }
        let text = format!("×{}", members.len());
        let style = Style::Times(*priority);
        let width = ruler.width(&text, style, size) + 2.0 * unit;
        let (half_width, half_height) = (width / 2.0, size * 0.46);
        let rect = |at: Px| Rect::around(at, half_width, half_height);
        let sides = sides(placed, half_width, half_height);
        let stood = keeper.last(id, placed.at);
        let free = stood.into_iter().chain(sides).find(|at| room.holds(*at) && room.is_free(&rect(*at)));
        let (at, rect, size) = match free {
            Some(at) => (at, rect(at), size),
            // On its own foot, no wider than that.
            None => {
                let part = (2.0 * placed.half / width).min(1.0);
                let at = placed.at.plus(0.0, placed.half - half_height * part);
                (at, Rect::around(at, half_width * part, half_height * part), size * part)
            }
        };
        if free.is_some() {
            keeper.keep(*id, placed.at, at);
        }
        room.take(rect, Taker::Word);
        words.push(Word { text, at, align: Align::Centre, style, size, run: Run::Level, rect });
    }
    words
}

/// Places at a mark's side, the one an eye looks at first in front.
fn sides(placed: &Placed, half_width: f64, half_height: f64) -> [Px; 10] {
    let (beside, over, half) = (placed.half + half_width, placed.half + half_height, placed.half);
    [
        (beside, -0.5 * half),
        (beside, 0.5 * half),
        (-beside, -0.5 * half),
        (-beside, 0.5 * half),
        (0.0, -over),
        (0.0, over),
        (beside, -over),
        (beside, over),
        (-beside, -over),
        (-beside, over),
    ]
    .map(|(x, y)| placed.at.plus(x, y))
}
