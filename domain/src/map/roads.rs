//! Names of roads, each along the longest straight piece of its road in sight, where it is free.

use std::f64::consts::{FRAC_PI_2, PI};

use super::ground::Road;
use super::item::{Align, Ruler, Run, Style, Word};
use super::rect::Rect;
use super::room::{Room, Taker};
use super::scene::Scene;
use super::view::{Px, View};

/// From which zoom on roads have names, and lanes.
const FROM: f64 = 13.6;
const LANES_FROM: f64 = 15.0;
const SIZE: f64 = 21.0;
/// How far from the edge of the screen a piece begins.
const EDGE_PX: f64 = 8.0;
/// A bend by more than this, as the sine of its angle, ends a straight piece.
const BEND: f64 = 2e-3;

pub fn names(scene: &Scene, view: &View, room: &mut Room, ruler: &mut impl Ruler) -> Vec<Word> {
    let mut words = Vec::new();
    if view.zoom < FROM {
        return words;
    }
    for road in &scene.ground.roads {
        if road.lane && view.zoom < LANES_FROM {
            continue;
        }
        if let Some(piece) = longest(road, view) {
            words.extend(name(road, piece, scene, room, ruler));
        }
    }
    words
}

fn name(
    road: &Road,
    (from, to): (Px, Px),
    scene: &Scene,
    room: &mut Room,
    ruler: &mut impl Ruler,
) -> Option<Word> {
    let (unit, size) = (scene.unit, SIZE * scene.unit);
    let width = ruler.width(&road.name, Style::Road, size);
    if from.distance(to) < width + 30.0 * unit {
        return None;
    }
    let mut angle = (to.y - from.y).atan2(to.x - from.x);
    if angle > FRAC_PI_2 + 0.01 {
        angle -= PI;
    } else if angle <= 0.01 - FRAC_PI_2 {
        angle += PI;
    }
    // A Chinese name on a street that runs up and down stands upright, character under character.
    let down = !scene.latin && (angle.abs() - FRAC_PI_2).abs() < 0.1;
    let run = if down { Run::Down } else { Run::Along(angle) };
    let (sin, cos) = angle.sin_cos();
    for part in [0.5, 0.25, 0.75] {
        let at = Px::new(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part);
        let margin = 13.0 * unit;
        let rect = Rect::around(at, width * cos.abs() / 2.0 + margin, width * sin.abs() / 2.0 + margin);
        if room.is_free(&rect) {
            room.take(rect, Taker::Word);
            let text = road.name.clone();
            return Some(Word { text, at, align: Align::Centre, style: Style::Road, size, run, rect });
        }
    }
    None
}

/// The longest straight piece of a road, cut to the screen.
fn longest(road: &Road, view: &View) -> Option<(Px, Px)> {
    let line: Vec<Px> = road.line.iter().map(|spot| view.at(*spot)).collect();
    let mut best: Option<(Px, Px)> = None;
    let mut from = 0;
    for at in 1..line.len() {
        if at + 1 < line.len() && !bends(line[at - 1], line[at], line[at + 1]) {
            continue;
        }
        let piece = cut(line[from], line[at], view);
        if let Some(piece) = piece
            && best.is_none_or(|best| piece.0.distance(piece.1) > best.0.distance(best.1))
        {
            best = Some(piece);
        }
        from = at;
    }
    best
}

fn bends(a: Px, b: Px, c: Px) -> bool {
    let (ax, ay, bx, by) = (b.x - a.x, b.y - a.y, c.x - b.x, c.y - b.y);
    (ax * by - ay * bx).abs() > BEND * a.distance(b) * b.distance(c)
}

/// Liang and Barsky: the part of a line within the screen.
fn cut(a: Px, b: Px, view: &View) -> Option<(Px, Px)> {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let (mut from, mut to) = (0.0_f64, 1.0_f64);
    let sides = [
        (-dx, a.x - EDGE_PX),
        (dx, view.width - EDGE_PX - a.x),
        (-dy, a.y - EDGE_PX),
        (dy, view.height - EDGE_PX - a.y),
    ];
    for (p, q) in sides {
        if p == 0.0 && q < 0.0 {
            return None;
        }
        if p < 0.0 {
            from = from.max(q / p);
        } else if p > 0.0 {
            to = to.min(q / p);
        }
    }
    (from < to).then(|| (a.plus(dx * from, dy * from), a.plus(dx * to, dy * to)))
}
