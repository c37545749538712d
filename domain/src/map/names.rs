//! Names of districts with their counts, of streets and of lakes. They lie on no mark: a district's name goes shorter, or
//! stands beside its district with a line to it, before it does.

use super::crowd::LateDistrict;
use super::ground::Area;
use super::item::{Align, Line, Ruler, Run, Style, Word};
use super::rect::Rect;
use super::room::{Room, Taker};
use super::scene::Scene;
use super::seek::{Found, Keeper, Wish};
use super::view::{Px, View};

/// Up to which zoom districts and lakes have names, and between which streets have.
const DISTRICTS_UNTIL: f64 = 15.0;
const STREETS: std::ops::Range<f64> = 12.2..15.5;
/// Sizes of letters and heights of lines in units.
const DISTRICT_SIZE: f64 = 30.0;
const DISTRICT_SIZE_NARROW: f64 = 25.0;
const COUNT_SIZE: f64 = 24.0;
const LINES: [f64; 3] = [32.0, 30.0, 31.0];
const STREET_SIZE: f64 = 22.0;
/// The hatched square before the word of late positions.
const HATCH: f64 = 34.0;
/// How a district's name looks for room, in units; it keeps off the edge and stays until it can save so much.
const STEP: f64 = 10.0;
const REACH: f64 = 360.0;
const EDGE: f64 = 14.0;
const MARGIN: f64 = 60.0;
/// What each corner beyond the border costs, and in another district.
const OUT: f64 = 50.0;
const FOREIGN: f64 = 160.0;
/// What it costs where a circle of people would be: less than a name must save to move.
const CROWDED: f64 = 50.0;
/// Free room around a fuller form, so that it does not come and go.
const SPARE: f64 = 10.0;
/// A name this far from where it belongs, and not in its district, has a line to it.
const LEADER: f64 = 40.0;

/// What a district's name says, the fullest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    Block,
    Level,
    Name,
}

const FORMS: [Form; 3] = [Form::Block, Form::Level, Form::Name];

/// A line of words within a name.
struct Part {
    text: String,
    style: Style,
    size: f64,
    /// From the left end and the top of all of it.
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

#[derive(Debug, Default)]
pub struct Names {
    forms: Vec<Option<Form>>,
    places: Keeper<(usize, Form)>,
    lakes: Keeper<usize>,
}

impl Names {
    pub fn begin(&mut self, districts: usize) {
        self.forms.resize(districts, None);
        self.places.begin();
        self.lakes.begin();
    }

    /// Names of districts, with lines from those that stand beside theirs.
    pub fn districts(
        &mut self,
        scene: &Scene,
        late: &[LateDistrict],
        view: &View,
        room: &mut Room,
        crowds: &Room,
        ruler: &mut impl Ruler,
    ) -> (Vec<Word>, Vec<Line>) {
        let (mut words, mut lines) = (Vec::new(), Vec::new());
        if view.zoom >= DISTRICTS_UNTIL {
            return (words, lines);
        }
        for (index, area) in scene.ground.districts.iter().enumerate() {
            let home = view.at(area.label);
            if !view.sees(home, REACH / 2.0 * scene.unit) {
                continue;
            }
            let late = late.iter().find(|late| late.district == index);
            let rooms = (&*room, crowds);
            let Some((found, rect, parts)) = self.district(index, scene, late, view, rooms, ruler) else {
                self.forms[index] = None;
                continue;
            };
            room.take(rect, Taker::Word);
            let inside = area.holds(view.spot(found.at));
            let end = rect.nearest(home);
            if !inside && end.distance(home) > LEADER * scene.unit {
                lines.push(Line { from: end, to: home, incident: false });
            }
            words.extend(parts.into_iter().map(|part| part.word(&rect, scene.unit)));
        }
        (words, lines)
    }

    fn district(
        &mut self,
        index: usize,
        scene: &Scene,
        late: Option<&LateDistrict>,
        view: &View,
        (room, crowds): (&Room, &Room),
        ruler: &mut impl Ruler,
    ) -> Option<(Found, Rect, Vec<Part>)> {
        let area = &scene.ground.districts[index];
        let stood = self.forms[index];
        for form in FORMS {
            let parts = parts(form, index, scene, late, ruler);
            let width = parts.iter().map(|part| part.left + part.width).fold(0.0, f64::max);
            let height = parts.iter().map(|part| part.top + part.height).fold(0.0, f64::max);
            let spare = if stood.is_some_and(|stood| form < stood) { SPARE } else { 3.0 } * scene.unit;
            let home = view.at(area.label);
            let wish = Wish {
                home,
                frame: home,
                half_width: width / 2.0 + spare,
                half_height: height / 2.0 + spare / 2.0,
                step: STEP * scene.unit,
                reach: REACH * scene.unit,
            };
            let price = |at: Px| {
                let crowded = if crowds.is_free(&wish.rect(at)) { 0.0 } else { CROWDED * scene.unit };
                price(area, at, width, height, scene, view).map(|price| price + crowded)
            };
            let margin = MARGIN * scene.unit;
            let found = self.places.place((index, form), &wish, room, margin, price);
            if let Some(found) = found.filter(|found| found.clash <= 0.0) {
                self.forms[index] = Some(form);
                return Some((found, Rect::around(found.at, width / 2.0, height / 2.0), parts));
            }
        }
        None
    }

    /// Names of lakes, on their own water.
    pub fn lakes(
        &mut self,
        scene: &Scene,
        view: &View,
        room: &mut Room,
        ruler: &mut impl Ruler,
    ) -> Vec<Word> {
        let mut words = Vec::new();
        if view.zoom >= DISTRICTS_UNTIL {
            return words;
        }
        let unit = scene.unit;
        let size = if scene.brief && scene.latin { 24.0 } else { 34.0 } * unit;
        for (index, lake) in scene.ground.lakes.iter().enumerate() {
            let half = ruler.width(&lake.name, Style::Lake, size) / 2.0;
            let home = view.at(lake.label);
            let wish = Wish {
                home,
                frame: home,
                half_width: half,
                half_height: size * 0.6,
                step: 12.0 * unit,
                reach: 180.0 * unit,
            };
            let wet = |at: Px| {
                let holds = |aside: f64| lake.holds(view.spot(at.plus(aside, 0.0)));
                let rect = wish.rect(at);
                let seen = rect.left >= 0.0
                    && rect.top >= 0.0
                    && rect.right <= view.width
                    && rect.bottom <= view.height;
                (seen && holds(-half) && holds(half)).then_some(0.0)
            };
            let found = self.lakes.place(index, &wish, room, MARGIN * unit, wet);
            let Some(found) = found.filter(|found| found.clash <= 0.0) else { continue };
            let rect = wish.rect(found.at);
            room.take(rect, Taker::Word);
            let text = lake.name.clone();
            let (at, align) = (found.at, Align::Centre);
            words.push(Word { text, at, align, style: Style::Lake, size, run: Run::Level, rect });
        }
        words
    }
}

/// Names of streets where they belong, those that are free there.
pub fn streets(scene: &Scene, view: &View, room: &mut Room, ruler: &mut impl Ruler) -> Vec<Word> {
    let mut words = Vec::new();
    if !STREETS.contains(&view.zoom) {
        return words;
    }
    let size = STREET_SIZE * scene.unit;
    for street in &scene.ground.streets {
        let at = view.at(street.label);
        if !view.sees(at, 0.0) {
            continue;
        }
        let half = ruler.width(&street.name, Style::Street, size) / 2.0 + 4.0 * scene.unit;
        let rect = Rect::around(at, half, 14.0 * scene.unit);
        let seen = rect.left > 0.0 && rect.top > 0.0 && rect.right < view.width && rect.bottom < view.height;
        if seen && room.is_free(&rect) {
            room.take(rect, Taker::Word);
            let text = street.name.clone();
            words.push(Word {
                text,
                at,
                align: Align::Centre,
                style: Style::Street,
                size,
                run: Run::Level,
                rect,
            });
        }
    }
    words
}

/// Best inside the district; else over its border towards where no other one is.
pub(super) fn price(area: &Area, at: Px, width: f64, height: f64, scene: &Scene, view: &View) -> Option<f64> {
    let margin = EDGE * scene.unit;
    let (across, down) = (width / 2.0 + margin, height / 2.0 + margin);
    let seen = at.x >= across && at.x <= view.width - across && at.y >= down && at.y <= view.height - down;
    if !seen {
        return None;
    }
    let corners = [(-0.45, -0.4), (0.45, -0.4), (-0.45, 0.4), (0.45, 0.4)];
    let mut cost = 0.0;
    for (x, y) in corners {
        let corner = view.spot(at.plus(x * width, y * height));
        if area.holds(corner) {
            continue;
        }
        let foreign = scene.ground.district_of(corner).is_some();
        cost += if foreign { FOREIGN } else { OUT } * scene.unit;
    }
    Some(cost)
}

fn parts(
    form: Form,
    index: usize,
    scene: &Scene,
    late: Option<&LateDistrict>,
    ruler: &mut impl Ruler,
) -> Vec<Part> {
    let unit = scene.unit;
    let narrow = scene.brief && scene.latin;
    let size = if narrow { DISTRICT_SIZE_NARROW } else { DISTRICT_SIZE } * unit;
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |text: String, style: Style, size: f64, left: f64, top: f64, height: f64| {
        let width = ruler.width(&text, style, size);
        parts.push(Part { text, style, size, left, top, width, height });
        left + width
    };
    let name = scene.ground.districts[index].name.clone();
    let mut top = LINES[0] * unit;
    let right = add(name, Style::District, size, 0.0, 0.0, top);
    let number = scene.counts.get(index).map_or("", String::as_str);
    // On a small wall the number alone: every word there lies on something else.
    let worded = !scene.brief && !scene.open_word.is_empty();
    match form {
        Form::Block if !number.is_empty() => {
            let text = if worded { format!("{} {number}", scene.open_word) } else { number.to_owned() };
            add(text, Style::Count, COUNT_SIZE * unit, 0.0, top, LINES[1] * unit);
            top += LINES[1] * unit;
        }
        Form::Level if !number.is_empty() => {
            add(number.to_owned(), Style::Count, COUNT_SIZE * unit, right + 8.0 * unit, 0.0, top);
        }
        Form::Block | Form::Level | Form::Name => {}
    }
    if let Some(late) = late {
        let age = format!("{}:{:02}", late.age_s / 60, late.age_s % 60);
        let text = format!("{} {age}", scene.late_word);
        add(text, Style::Late, COUNT_SIZE * unit, HATCH * unit, top, LINES[2] * unit);
    }
    parts
}

impl Part {
    fn word(self, all: &Rect, unit: f64) -> Word {
        let at = Px::new(all.left + self.left, all.top + self.top + self.height / 2.0);
        let hatch = if self.style == Style::Late { HATCH * unit } else { 0.0 };
        let rect = Rect {
            left: at.x - hatch,
            top: all.top + self.top,
            right: at.x + self.width,
            bottom: all.top + self.top + self.height,
        };
        let Self { text, style, size, .. } = self;
        Word { text, at, align: Align::Left, style, size, run: Run::Level, rect }
    }
}
