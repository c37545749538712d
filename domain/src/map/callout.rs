//! What the incident is and how long it has left, written beside its spot with a line to it.

use super::item::{Align, Line, Ruler, Run, Style, Word};
use super::rect::Rect;
use super::room::{Room, Taker};
use super::scene::Focus;
use super::view::{Px, View};

/// In units: size of the letters, height of a line of them, way from the spot to the bend.
const SIZE: f64 = 26.0;
const LINE: f64 = 32.0;
const BEND: f64 = 14.0;
/// Which ways the line leaves the spot (south for one east) and how long its level part is, in units.
const SLOPES: [f64; 5] = [0.7, -0.7, 0.0, 1.4, -1.4];
const ARMS: [f64; 6] = [16.0, 60.0, 110.0, 170.0, 240.0, 320.0];
const AWAY: [f64; 3] = [30.0, 64.0, 110.0];
/// What a place costs for lying on something, for each mark under its line, and what another must save.
const CLASH: f64 = 1_000.0;
const CROSSED: f64 = 160.0;
const MARGIN: f64 = 90.0;

/// The shape that the callout had, so that it keeps it.
pub type Shape = (i8, usize, usize, usize);

struct Choice {
    shape: Shape,
    cost: f64,
    clash: f64,
    rect: Rect,
    bends: [Px; 3],
}

/// Words and lines of the callout; nothing where it would have to lie on something: the panels say the same.
pub fn place(
    focus: &Focus,
    view: &View,
    unit: f64,
    stood: &mut Option<Shape>,
    room: &mut Room,
    ruler: &mut impl Ruler,
) -> (Vec<Word>, Vec<Line>) {
    let at = view.at(focus.spot);
    if focus.title.is_empty() || !view.sees(at, 0.0) {
        return (Vec::new(), Vec::new());
    }
    let size = SIZE * unit;
    let note = ruler.width(&focus.note, Style::Note, size);
    let width = ruler.width(&focus.title, Style::Title, size).max(note) + 8.0 * unit;
    let height = if focus.note.is_empty() { 1.0 } else { 2.0 } * LINE * unit;
    let choices = shapes().map(|shape| choice(shape, at, width, height, view, unit, room));
    let mut best: Option<Choice> = None;
    for choice in choices {
        let stays = *stood == Some(choice.shape) && choice.clash <= 0.0;
        let cost = if stays { choice.cost - MARGIN * unit } else { choice.cost };
        if best.as_ref().is_none_or(|best| cost < best.cost) {
            best = Some(Choice { cost, ..choice });
        }
    }
    let Some(best) = best.filter(|best| best.clash <= 0.0) else {
        *stood = None;
        return (Vec::new(), Vec::new());
    };
    *stood = Some(best.shape);
    room.take(best.rect, Taker::Word);
    let lines = best.bends.windows(2).map(|ends| Line { from: ends[0], to: ends[1], incident: true });
    let word = |text: &str, style: Style, row: f64| {
        let top = best.rect.top + row * LINE * unit;
        let rect = Rect { top, bottom: top + LINE * unit, ..best.rect };
        let at = Px::new(best.rect.left + 4.0 * unit, rect.centre().y);
        Word { text: text.to_owned(), at, align: Align::Left, style, size, run: Run::Level, rect }
    };
    let mut words = vec![word(&focus.title, Style::Title, 0.0)];
    if !focus.note.is_empty() {
        words.push(word(&focus.note, Style::Note, 1.0));
    }
    (words, lines.collect())
}

fn shapes() -> impl Iterator<Item = Shape> {
    let sides = [1, -1].into_iter();
    let slopes = move |side: i8| (0..SLOPES.len()).map(move |slope| (side, slope));
    let away = |(side, slope)| (0..AWAY.len()).map(move |away| (side, slope, away));
    let arms = |(side, slope, away)| (0..ARMS.len()).map(move |arm| (side, slope, away, arm));
    sides.flat_map(slopes).flat_map(away).flat_map(arms)
}

fn choice(shape: Shape, at: Px, width: f64, height: f64, view: &View, unit: f64, room: &Room) -> Choice {
    let (side, slope, away, arm) = (f64::from(shape.0), SLOPES[shape.1], AWAY[shape.2], ARMS[shape.3]);
    // From the edge of the spot's mark outwards.
    let length = (1.0 + slope * slope).sqrt();
    let (east, south) = (side / length, slope / length);
    let begin = at.plus(east * 24.0 * unit, south * 24.0 * unit);
    let bend = at.plus(east * (away + BEND) * unit, south * (away + BEND) * unit);
    let end = bend.plus(side * arm * unit, 0.0);
    let left = if side > 0.0 { end.x + 8.0 * unit } else { end.x - 8.0 * unit - width };
    let top = end.y - LINE * unit * 0.7;
    let rect = Rect { left, top, right: left + width, bottom: top + height };
    let outside = (-rect.left).max(0.0)
        + (-rect.top).max(0.0)
        + (rect.right - view.width).max(0.0)
        + (rect.bottom - view.height).max(0.0);
    let clash = room.clash(&rect) + outside * 100.0;
    let lies = if clash > 0.0 { CLASH + clash } else { 0.0 };
    let crossed = crossed(begin, bend, unit, room) + crossed(bend, end, unit, room);
    let cost = lies + f64::from(crossed) * CROSSED * unit + (away + arm) * unit;
    Choice { shape, cost, clash, rect, bends: [begin, bend, end] }
}

/// At how many steps of the way something lies under the line.
fn crossed(from: Px, to: Px, unit: f64, room: &Room) -> u32 {
    let steps = (from.distance(to) / (8.0 * unit)).ceil().max(1.0);
    let at = |step: f64| {
        let part = step / steps;
        Px::new(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part)
    };
    let lies = |step: &u32| !room.is_free(&Rect::around(at(f64::from(*step)), 2.0 * unit, 2.0 * unit));
    (0..=steps as u32).filter(lies).count() as u32
}
