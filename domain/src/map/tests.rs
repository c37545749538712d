//! An hour of the city on the walls it hangs on: no word on a mark, no urgent mark under another, nothing that moves
//! without a cause. What is asked is the placing itself, not a picture of it.

use std::collections::BTreeMap;

use super::city::{City, Em, Screen};
use super::item::{Mark, Style, Word};
use super::plan::Plan;
use super::rect::Rect;
use super::room::{Room, Taker};
use super::view::{Spot, View};

const SCREENS: [Screen; 4] = [
    Screen { width: 608.0, height: 560.0, brief: true, latin: false },
    Screen { width: 608.0, height: 560.0, brief: true, latin: true },
    Screen { width: 1_085.0, height: 855.0, brief: false, latin: false },
    Screen { width: 1_085.0, height: 855.0, brief: false, latin: true },
];
const STEP_S: f64 = 10.0;
const STEPS: usize = 360;
/// How often eight names move at most in an hour in which ten urgent cases come and go and the incident changes eight times: 18,
/// 24, 12 and 13 times on the four screens. Names that keep no place (`names::MARGIN` of 0) move 32 times on one of them.
const MOVES_MAX: usize = 27;
/// Square pixels that two may share before one lies on the other: edges that touch are no cover.
const TOUCH: f64 = 0.5;

fn words_on_marks(plan: &Plan, own: &[Rect]) -> Vec<String> {
    let mut offences = Vec::new();
    for word in &plan.words {
        for placed in plan.marks.iter().filter(|placed| !placed.mark.is_ground()) {
            // A count stands at the side of its own mark, at worst on its foot.
            let own_mark = matches!((&placed.mark, word.style), (Mark::Urgent { priority, .. }, Style::Times(of)) if *priority == of)
                && placed.rect().nearest(word.at).distance(word.at) < word.size;
            if !own_mark && word.rect.shared(&placed.rect()) > TOUCH {
                offences.push(format!("{:?} lies on {:?} at {:?}", word.text, placed.mark, placed.at));
            }
        }
        for rect in own {
            if word.rect.shared(rect) > TOUCH {
                offences.push(format!("{:?} lies on the map's own words", word.text));
            }
        }
    }
    for (at, word) in plan.words.iter().enumerate() {
        for other in &plan.words[..at] {
            if word.rect.shared(&other.rect) > TOUCH {
                offences.push(format!("{:?} lies on {:?}", word.text, other.text));
            }
        }
    }
    offences
}

fn urgent_marks_covered(plan: &Plan) -> Vec<String> {
    let mut offences = Vec::new();
    for (at, placed) in plan.marks.iter().enumerate() {
        let Mark::Urgent { priority, .. } = &placed.mark else { continue };
        for above in &plan.marks[at + 1..] {
            if !above.mark.is_ground() && above.rect().shared(&placed.rect()) > TOUCH {
                offences.push(format!("{:?} lies on an urgent case of priority {priority}", above.mark));
            }
        }
    }
    offences
}

/// Numbers of people that the edge of the map cuts.
fn circles_cut(plan: &Plan, screen: Screen) -> Vec<String> {
    let circles = plan.marks.iter().filter(|placed| matches!(placed.mark, Mark::Group { .. }));
    let whole = |rect: &Rect| {
        rect.left >= 0.0 && rect.top >= 0.0 && rect.right <= screen.width && rect.bottom <= screen.height
    };
    circles
        .filter(|placed| !whole(&placed.rect()))
        .map(|placed| format!("{:?} at {:?}", placed.mark, placed.at))
        .collect()
}

fn districts(plan: &Plan) -> BTreeMap<String, Word> {
    let named = plan.words.iter().filter(|word| word.style == Style::District);
    named.map(|word| (word.text.clone(), word.clone())).collect()
}

/// Whether a name that left its place had a cause, by what was placed before it: something lies there now, it says more or
/// less than before, or another place costs clearly less. Circles of people, squares and later words give way to it and
/// are no cause.
fn had_cause(city: &City, before: &Plan, plan: &Plan, name: &str) -> bool {
    let (stood, stands) = (block(before, name), block(plan, name));
    if stood.form != stands.form {
        return true;
    }
    let mut room = Room::new(city.view.width, city.view.height);
    city.planner.scene.own.iter().for_each(|rect| room.take(*rect, Taker::Fixed));
    for placed in plan.marks.iter().filter(|placed| !placed.mark.is_ground()) {
        if !matches!(placed.mark, Mark::Square { .. } | Mark::Group { .. }) {
            room.take(placed.rect(), Taker::Mark);
        }
    }
    let earlier = |word: &&Word| match word.style {
        Style::District | Style::Count => word.rect.shared(&stands.rect) <= TOUCH,
        Style::Title | Style::Note | Style::Name | Style::LateName | Style::Times(_) => true,
        Style::Late | Style::Street | Style::Road | Style::Lake => false,
    };
    plan.words.iter().filter(earlier).for_each(|word| room.take(word.rect, Taker::Word));
    let Rect { left, top, right, bottom } = stood.rect;
    // With the room that is kept around it, and what its count may have grown by.
    let around = Rect { left: left - 12.0, top: top - 6.0, right: right + 12.0, bottom: bottom + 6.0 };
    !room.is_free(&around) || cost(city, name, &stood.rect) > cost(city, name, &stands.rect) + 5.0
}

/// A district's name with its count, and where that is.
struct Block {
    rect: Rect,
    /// The count is below the name, beside it, or not there.
    form: u8,
}

fn block(plan: &Plan, name: &str) -> Block {
    let word = plan.words.iter().find(|word| word.style == Style::District && word.text == name);
    let title = word.expect("every district has its name").rect;
    let counts = plan.words.iter().filter(|word| word.style == Style::Count).map(|word| word.rect);
    let mut block = Block { rect: title, form: 0 };
    for count in counts {
        let below = (count.left - title.left).abs() < 1.0 && (count.top - title.bottom).abs() < 1.0;
        let beside = (count.left - title.right - 8.0).abs() < 1.0 && (count.top - title.top).abs() < 1.0;
        if below || beside {
            block.form = if below { 1 } else { 2 };
            block.rect.right = title.right.max(count.right);
            block.rect.bottom = title.bottom.max(count.bottom);
        }
    }
    block
}

/// What a place costs a name, but for what lies there and the crowds around it.
fn cost(city: &City, name: &str, rect: &Rect) -> f64 {
    let scene = &city.planner.scene;
    let area = scene.ground.districts.iter().find(|area| area.name == name).unwrap();
    let (home, at) = (city.view.at(area.label), rect.centre());
    let way = ((at.x - home.x).powi(2) + ((at.y - home.y) / 0.8).powi(2)).sqrt();
    let (width, height) = (rect.right - rect.left, rect.bottom - rect.top);
    way * 0.4 + super::names::price(area, at, width, height, scene, &city.view).unwrap_or(1_000.0)
}

#[test]
fn through_an_hour_no_word_lies_on_a_mark_and_no_name_moves_without_a_cause() {
    let mut all_moves = Vec::new();
    for screen in SCREENS {
        let mut city = City::new(screen, 648);
        let own = city.planner.scene.own.clone();
        let (mut moves, mut before) = (0, None::<Plan>);
        for step in 0..=STEPS {
            let plan = city.planner.plan(&city.view, city.now, &mut Em);
            let offences = words_on_marks(&plan, &own);
            assert!(offences.is_empty(), "{screen:?} step {step}: {offences:#?}");
            let offences = urgent_marks_covered(&plan);
            assert!(offences.is_empty(), "{screen:?} step {step}: {offences:#?}");
            let names = districts(&plan);
            assert_eq!(names.len(), 8, "{screen:?} step {step}: every district has its name");
            for (name, stood) in before.as_ref().map(districts).into_iter().flatten() {
                if names[&name].at.distance(stood.at) > 40.0 {
                    moves += 1;
                    let caused = had_cause(&city, before.as_ref().unwrap(), &plan, &name);
                    assert!(caused, "{screen:?} step {step}: {name} left a free place");
                }
            }
            before = Some(plan);
            city.pass(STEP_S);
        }
        all_moves.push(moves);
    }
    // 246 and 132 an hour before, on the two walls.
    assert!(all_moves.iter().all(|moves| *moves <= MOVES_MAX), "names moved {all_moves:?} times in an hour");
}

#[test]
fn at_any_zoom_and_wherever_one_looks_no_word_lies_on_a_mark() {
    for screen in SCREENS {
        let mut city = City::new(screen, 648);
        let begin = city.view;
        for step in 0..48 {
            let (zoom, aside) = (begin.zoom + f64::from(step % 12) * 0.6, f64::from(step / 12) * 0.000_1);
            let centre = Spot { x: begin.centre.x + aside, y: begin.centre.y - aside };
            city.view = View::new(centre, zoom, screen.width, screen.height);
            city.pass(STEP_S);
            let plan = city.planner.plan(&city.view, city.now, &mut Em);
            let offences = words_on_marks(&plan, &city.planner.scene.own);
            assert!(offences.is_empty(), "{screen:?} step {step}: {offences:#?}");
            assert!(urgent_marks_covered(&plan).is_empty(), "{screen:?} step {step}");
            let cut = circles_cut(&plan, screen);
            assert!(cut.is_empty(), "{screen:?} step {step}: {cut:#?}");
        }
    }
}

#[test]
fn everybody_is_drawn_once_alone_or_in_a_circle_that_is_seen() {
    let mut city = City::new(SCREENS[2], 10_000);
    city.pass(1.0);
    let plan = city.planner.plan(&city.view, city.now, &mut Em);
    let circles = plan.marks.iter().filter_map(|placed| match &placed.mark {
        Mark::Group { members, .. } => Some(members.len()),
        Mark::Square { .. }
        | Mark::Ring
        | Mark::Target
        | Mark::Cone { .. }
        | Mark::Camera { .. }
        | Mark::Person { .. }
        | Mark::Urgent { .. } => None,
    });
    let people = &city.planner.scene.people;
    let alone = (0..people.len()).filter(|slot| people.is_shown(*slot)).count();
    assert_eq!(circles.sum::<usize>() + alone, 10_000);
}
