//! The incident: its spot, the cameras that look at it with their numbers, the people who matter for it with their names.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use super::item::{Align, Mark, Placed, Ruler, Run, Style, Word};
use super::rect::Rect;
use super::room::{Room, Taker};
use super::scene::{Camera, Focus, Scene};
use super::seek::{Keeper, Wish};
use super::view::{Px, View};

/// Sizes in units: the spot, a camera, a person, the letters of a name.
const TARGET: f64 = 20.0;
const TARGET_LEAST: f64 = 6.0;
const CAMERA: f64 = 14.0;
const PERSON: f64 = 15.0;
const NAME_SIZE: f64 = 22.0;
/// A camera is drawn at least this far from the incident, in the direction in which it really stands.
const APART: f64 = 66.0;
/// Steps outwards and turns by which it looks for room there.
const RINGS: [f64; 4] = [1.0, 1.4, 1.8, 2.3];
const TURNS: [f64; 15] =
    [0.0, 0.42, -0.42, 0.84, -0.84, 1.26, -1.26, 1.68, -1.68, 2.1, -2.1, 2.52, -2.52, 2.94, -2.94];
/// As far from its direction a camera keeps the place it has.
const ASIDE: f64 = 0.9;
/// How far a mark at the edge, for something beyond it, keeps from it.
const EDGE: f64 = 30.0;
const STEP: f64 = 6.0;
const REACH: f64 = 90.0;
const MARGIN: f64 = 16.0;
/// How far a camera's cone reaches, and the widest that still tells a direction.
const CONE: f64 = 62.0;
const CONE_VIEW_DEG: f64 = 90.0;

/// The spot and, where it can be told from the spot, its circle.
pub fn spot(focus: &Focus, view: &View, unit: f64, urgent: &[(u64, Placed)], room: &mut Room) -> Vec<Placed> {
    let at = view.at(focus.spot);
    let mut marks = Vec::new();
    let radius = focus.radius_m / view.metres_per_px();
    if radius > 2.0 * TARGET * unit {
        marks.push(Placed { mark: Mark::Ring, at, half: radius });
    }
    // An urgent case has a mark of its own there; beside one the spot is smaller, so that both are seen.
    let half = urgent.iter().fold(TARGET * unit, |half, (_, placed)| half.min(placed.rect().apart(at)));
    if half >= TARGET_LEAST * unit {
        marks.push(Placed { mark: Mark::Target, at, half });
    }
    if view.sees(at, TARGET * unit) {
        room.take(Rect::around(at, TARGET * unit, TARGET * unit), Taker::Mark);
    }
    marks
}

/// Places the cameras of the incident: far from it where they are, near to it apart in their true direction.
pub fn cameras(scene: &Scene, view: &View, keeper: &mut Keeper<u32>, room: &mut Room) -> Vec<Placed> {
    let unit = scene.unit;
    let focus = scene.focus.as_ref().map(|focus| view.at(focus.spot));
    let mut marks = Vec::new();
    for (row, camera) in scene.cameras.iter().enumerate() {
        let truth = view.at(camera.spot);
        let near = focus.filter(|focus| focus.distance(truth) < APART * unit);
        let home = match near {
            Some(_) => truth,
            None => within(truth, view, unit),
        };
        let beyond = (home != truth).then(|| direction(home, truth));
        let (at, aim) = match near {
            Some(focus) => {
                let at = around(camera, focus, truth, unit, keeper, room);
                (at, Some(direction(at, focus).to_degrees() + 90.0))
            }
            None => (beside(camera.number, home, unit, keeper, room), camera.bearing_deg),
        };
        room.take(Rect::around(at, CAMERA * unit, CAMERA * unit), Taker::Mark);
        if let (Some(aim_deg), None) = (aim, beyond) {
            let view_deg = camera.view_deg.min(CONE_VIEW_DEG);
            let mark = Mark::Cone { aim_deg, view_deg, state: camera.state };
            marks.push(Placed { mark, at, half: CONE * unit });
        }
        let mark = Mark::Camera { row: row as u32, number: camera.number, state: camera.state, beyond };
        marks.push(Placed { mark, at, half: CAMERA * unit });
    }
    marks
}

fn direction(from: Px, to: Px) -> f64 {
    (to.y - from.y).atan2(to.x - from.x)
}

fn within(at: Px, view: &View, unit: f64) -> Px {
    let edge = EDGE * unit;
    let clamp =
        |value: f64, length: f64| value.clamp(edge.min(length / 2.0), (length - edge).max(length / 2.0));
    Px::new(clamp(at.x, view.width), clamp(at.y, view.height))
}

fn around(camera: &Camera, focus: Px, truth: Px, unit: f64, keeper: &mut Keeper<u32>, room: &Room) -> Px {
    let half = (CAMERA + 2.0) * unit;
    let free = |at: &Px| room.is_free(&Rect::around(*at, half, half));
    let turn = if focus.distance(truth) < 0.01 { -FRAC_PI_2 } else { direction(focus, truth) };
    let on = |ring: f64, aside: f64| {
        let (sin, cos) = (turn + aside).sin_cos();
        focus.plus(cos * APART * ring * unit, sin * APART * ring * unit)
    };
    // A place that it had beside another incident may lie on the far side of this one.
    let aside = |at: &Px| (direction(focus, *at) - turn + PI).rem_euclid(TAU) - PI;
    let fits = |at: &Px| aside(at).abs() < ASIDE;
    let stood = keeper.last(&camera.number, focus).filter(|at| fits(at) && free(at));
    let ring = |ring: f64| TURNS.into_iter().map(move |aside| on(ring, aside)).find(free);
    let at = stood.or_else(|| RINGS.into_iter().find_map(ring)).unwrap_or_else(|| on(1.0, 0.0));
    keeper.keep(camera.number, focus, at);
    at
}

fn beside(key: u32, home: Px, unit: f64, keeper: &mut Keeper<u32>, room: &Room) -> Px {
    let half = (CAMERA + 2.0) * unit;
    let wish = Wish {
        home,
        frame: home,
        half_width: half,
        half_height: half,
        step: STEP * unit,
        reach: REACH * unit,
    };
    keeper.place(key, &wish, room, MARGIN * unit, |_| Some(0.0)).map_or(home, |found| found.at)
}

/// Places the people who matter, with their names beside them where there is room.
pub fn people(
    scene: &Scene,
    view: &View,
    now: f64,
    keeper: &mut Keeper<u32>,
    room: &mut Room,
    ruler: &mut impl Ruler,
) -> (Vec<Placed>, Vec<Word>) {
    let (unit, mut marks, mut words) = (scene.unit, Vec::new(), Vec::new());
    for (row, named) in scene.named.iter().enumerate() {
        let Some(slot) = scene.people.slot(named.index) else { continue };
        let truth = view.at(scene.people.at(slot, now));
        let home = within(truth, view, unit);
        let beyond = (home != truth).then(|| direction(home, truth));
        let late = scene.people.age_s(slot, now) > scene.stale_s;
        let at = beside(named.index, home, unit, keeper, room);
        let mark = Placed { mark: Mark::Person { row: row as u32, late, beyond }, at, half: PERSON * unit };
        room.take(mark.rect(), Taker::Mark);
        marks.push(mark);
        let style = if late { Style::LateName } else { Style::Name };
        words.extend(name(&named.name, style, at, view, unit, room, ruler));
    }
    (marks, words)
}

fn name(
    text: &str,
    style: Style,
    at: Px,
    view: &View,
    unit: f64,
    room: &mut Room,
    ruler: &mut impl Ruler,
) -> Option<Word> {
    if text.is_empty() {
        return None;
    }
    let size = NAME_SIZE * unit;
    let (width, half_height) = (ruler.width(text, style, size) + 4.0 * unit, size * 0.6);
    let (aside, over) = ((PERSON + 6.0) * unit + width / 2.0, PERSON * unit + half_height + unit);
    let places = [(-aside, 0.0), (aside, 0.0), (0.0, over), (0.0, -over)];
    let rect = |(x, y): (f64, f64)| Rect::around(at.plus(x, y), width / 2.0, half_height);
    let seen = |rect: &Rect| {
        rect.left >= 0.0 && rect.top >= 0.0 && rect.right <= view.width && rect.bottom <= view.height
    };
    let rect = places.into_iter().map(rect).find(|rect| seen(rect) && room.is_free(rect))?;
    room.take(rect, Taker::Word);
    let (text, at) = (text.to_owned(), rect.centre());
    Some(Word { text, at, align: Align::Centre, style, size, run: Run::Level, rect })
}
