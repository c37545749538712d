//! One map's placing: from what is to be shown to what is drawn where, with the memory that keeps things in their places.
//!
//! Rank decides who gives way: the map's own words, urgent cases, the incident, names, circles of people, ordinary cases.

use std::collections::BTreeSet;

use super::callout;
use super::cases::{self, Square};
use super::crowd::{self, Crowd, Group, LateDistrict};
use super::incident;
use super::item::{Line, Mark, Placed, Ruler, Word};
use super::names::{self, Names};
use super::people::People;
use super::rect::Rect;
use super::roads;
use super::room::{Room, Taker};
use super::scene::Scene;
use super::seek::{Found, Keeper, Wish};
use super::urgent;
use super::view::{Px, Spot, View};

/// Half of an ordinary square's room, in units: twice what is drawn.
const SQUARE: f64 = 8.0;
/// How squares and circles look for room, in units.
const SQUARE_STEP: f64 = 7.0;
const SQUARE_REACH: f64 = 150.0;
const CIRCLE_STEP: f64 = 6.0;
const CIRCLE_REACH: f64 = 260.0;
const MARGIN: f64 = 16.0;
/// Circles of a thousand and more are larger by this.
const LARGE: f64 = 1.25;
/// Nearer than this everyone is drawn alone.
const GROUPS_UNTIL: f64 = 14.5;

/// What is drawn, marks in their order from below.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    pub marks: Vec<Placed>,
    pub lines: Vec<Line>,
    pub words: Vec<Word>,
    /// Places of districts whose positions are late, in the ground's list.
    pub late: Vec<usize>,
    /// Ordinary cases under one square at most.
    pub per_square: u32,
}

#[derive(Debug, Default)]
pub struct Planner {
    pub scene: Scene,
    crowd: Crowd,
    /// The fullest first.
    groups: Vec<Group>,
    /// Fields whose circle finds no room: their people are drawn one by one.
    fallen: BTreeSet<crowd::Field>,
    late: Vec<LateDistrict>,
    /// The squares of the present cases; none when the cases have changed.
    squares: Option<Vec<Square>>,
    per_square: u32,
    urgent: Keeper<u64>,
    times: Keeper<u64>,
    cameras: Keeper<u32>,
    people: Keeper<u32>,
    circles: Keeper<crowd::Field>,
    names: Names,
    places: Keeper<u64>,
    callout: Option<callout::Shape>,
}

impl Planner {
    pub fn set_cases(&mut self, cases: Vec<cases::Case>) {
        self.scene.cases = cases;
        self.squares = None;
    }

    /// Gathers people anew; whether that changed what a plan shows.
    pub fn gather(&mut self, view: &View, now: f64) -> bool {
        let Scene { people, ground, unit, stale_s, grouped, .. } = &mut self.scene;
        let grouped = *grouped && view.zoom < GROUPS_UNTIL;
        let mut groups = self.crowd.gather(people, view, *unit, *stale_s, now, grouped);
        groups.sort_by_key(|group| std::cmp::Reverse(group.members.len()));
        let late = crowd::late_districts(people, ground, *stale_s, now);
        let shown = |group: &Group| (group.field, group.middle, group.members.len(), is_late(group));
        let same = groups.iter().map(shown).eq(self.groups.iter().map(shown)) && late == self.late;
        self.groups = groups;
        self.late = late;
        // Each circle's people are hidden again.
        let none_fallen = std::mem::take(&mut self.fallen).is_empty();
        !(same && none_fallen)
    }

    /// Everything in its place. `now` is seconds by the clock of the positions.
    pub fn plan(&mut self, view: &View, now: f64, ruler: &mut impl Ruler) -> Plan {
        self.begin();
        let mut room = Room::new(view.width, view.height);
        self.scene.own.iter().for_each(|rect| room.take(*rect, Taker::Fixed));
        let urgent = urgent::place(&self.scene, view, &mut self.urgent, &mut room);
        let mut plan = Plan::default();
        if let Some(focus) = &self.scene.focus {
            plan.marks.extend(incident::spot(focus, view, self.scene.unit, &urgent, &mut room));
        }
        plan.marks.extend(incident::cameras(&self.scene, view, &mut self.cameras, &mut room));
        let (marks, words) = incident::people(&self.scene, view, now, &mut self.people, &mut room, ruler);
        plan.marks.extend(marks);
        plan.words.extend(words);
        plan.words.extend(urgent::times(&urgent, self.scene.unit, &mut self.times, &mut room, ruler));
        plan.marks.extend(urgent.into_iter().map(|(_, placed)| placed));
        if let Some(focus) = &self.scene.focus {
            let stood = &mut self.callout;
            let (words, lines) = callout::place(focus, view, self.scene.unit, stood, &mut room, ruler);
            plan.words.extend(words);
            plan.lines.extend(lines);
        }
        let crowds = self.crowds(view);
        let (words, lines) = self.names.districts(&self.scene, &self.late, view, &mut room, &crowds, ruler);
        plan.words.extend(words);
        plan.lines.extend(lines);
        plan.words.extend(self.names.lakes(&self.scene, view, &mut room, ruler));
        plan.words.extend(names::streets(&self.scene, view, &mut room, ruler));
        plan.words.extend(roads::names(&self.scene, view, &mut room, ruler));
        self.circles(view, &mut room, &mut plan);
        self.place_squares(view, &mut room, &mut plan);
        plan.marks.sort_by_key(|placed| placed.mark.rank());
        plan.late = self.late.iter().map(|late| late.district).collect();
        plan.per_square = self.per_square;
        plan
    }

    fn begin(&mut self) {
        self.urgent.begin();
        self.times.begin();
        self.cameras.begin();
        self.people.begin();
        self.circles.begin();
        self.places.begin();
        self.names.begin(self.scene.ground.districts.len());
    }

    /// Where circles would like to be. A name that has a place keeps it, and a circle that comes there steps aside; a name
    /// that looks for one looks beside them.
    fn crowds(&self, view: &View) -> Room {
        let mut crowds = Room::new(view.width, view.height);
        let half = crowd::RADIUS * self.scene.unit;
        for group in &self.groups {
            crowds.take(Rect::around(view.at(group.middle), half, half), Taker::Mark);
        }
        crowds
    }

    fn circles(&mut self, view: &View, room: &mut Room, plan: &mut Plan) {
        let unit = self.scene.unit;
        for group in &self.groups {
            let truth = view.at(group.middle);
            let large = if group.members.len() > 999 { LARGE } else { 1.0 };
            let half = crowd::RADIUS * large * unit;
            if !view.sees(truth, half) {
                continue;
            }
            // A number that the edge cuts is a wrong number.
            let inside = view.inside(half + 2.0 * unit);
            let wish = Wish {
                home: inside.nearest(truth),
                frame: truth,
                half_width: half + 2.0 * unit,
                half_height: half + 2.0 * unit,
                step: CIRCLE_STEP * unit,
                reach: CIRCLE_REACH * unit,
            };
            let found = self
                .circles
                .place(group.field, &wish, room, MARGIN * unit, |at| inside.holds(at).then_some(0.0));
            let free = found.filter(|found| found.clash <= 0.0);
            if free.is_none() != self.fallen.contains(&group.field) {
                show(&mut self.scene.people, group, free.is_none());
                match free {
                    Some(_) => self.fallen.remove(&group.field),
                    None => self.fallen.insert(group.field),
                };
            }
            let Some(Found { at, .. }) = free else { continue };
            room.take(Rect::around(at, half, half), Taker::Mark);
            let mark = Mark::Group { members: group.members.clone(), late: is_late(group) };
            plan.marks.push(Placed { mark, at, half });
        }
    }

    fn place_squares(&mut self, view: &View, room: &mut Room, plan: &mut Plan) {
        let Scene { unit, cases, urgent_max, per_square, .. } = &self.scene;
        let ordinary = cases.iter().filter(|case| case.priority > *urgent_max).count();
        let per = cases::per_square(ordinary, *per_square, view.zoom, self.per_square);
        if per != self.per_square {
            self.squares = None;
        }
        self.per_square = per;
        let squares = self.squares.get_or_insert_with(|| cases::squares(cases, per, *urgent_max));
        for square in squares {
            let home = view.at(square.spot);
            if !view.sees(home, 0.0) {
                continue;
            }
            let half = SQUARE * unit;
            let wish = Wish {
                home,
                frame: home,
                half_width: half,
                half_height: half,
                step: SQUARE_STEP * unit,
                reach: SQUARE_REACH * unit,
            };
            let found = self.places.place(square.id, &wish, room, MARGIN * unit, |_| Some(0.0));
            let Some(Found { at, .. }) = found.filter(|found| found.clash <= 0.0) else {
                join(&mut plan.marks, home, &square.members);
                continue;
            };
            room.take(wish.rect(at), Taker::Mark);
            let mark = Mark::Square { members: square.members.clone() };
            plan.marks.push(Placed { mark, at, half: half / 2.0 });
        }
    }

    /// The person drawn alone within `reach` CSS pixels of a place on the screen.
    #[must_use]
    pub fn person_at(&self, view: &View, px: Px, reach: f64, now: f64) -> Option<u32> {
        let people = &self.scene.people;
        let near =
            |slot: &usize| people.is_shown(*slot) && view.at(people.at(*slot, now)).distance(px) <= reach;
        (0..people.len()).find(near).map(|slot| people.id(slot))
    }

    #[must_use]
    pub fn district_at(&self, spot: Spot) -> Option<usize> {
        self.scene.ground.district_of(spot)
    }
}

fn is_late(group: &Group) -> bool {
    group.late * 2 > group.members.len()
}

fn show(people: &mut People, group: &Group, shown: bool) {
    for id in &group.members {
        if let Some(slot) = people.slot(*id) {
            people.show(slot, shown);
        }
    }
}

/// Cases for whose square there is no room stand under the nearest one.
fn join(marks: &mut [Placed], home: Px, members: &[u32]) {
    let mut nearest: Option<(f64, &mut Vec<u32>)> = None;
    for placed in marks {
        let way = placed.at.distance(home);
        if let Mark::Square { members } = &mut placed.mark
            && nearest.as_ref().is_none_or(|(before, _)| way < *before)
        {
            nearest = Some((way, members));
        }
    }
    if let Some((_, all)) = nearest {
        all.extend_from_slice(members);
    }
}
