//! The scene and the wall every hall has.
//!
//! What should be here: where the usual panels hang. What should not: rules for scenes of a hall's own.

use super::{Cell, PanelKind, Scene, Shape, Wall, Walls};
use crate::catalogue::Name;
use crate::route::MAIN_WALL;

/// The scene for every day (平时).
pub const USUAL: &str = "usual";

/// Both shapes stand on one module at 1080 pixels: columns with gutters of 16 and margins of 32; from above a header, twelve
/// rows and a strip.
const HEIGHT: u32 = 1_080;
const MARGIN: u32 = 32;
const TOP: u32 = 20;
const GUTTER: u32 = 16;
const HEADER: u32 = 68;
const ROW: u32 = 56;
const STRIP: u32 = 92;
/// Number of the last row's end, which is the strip's beginning, and of the strip's end.
const FOOT: u32 = 14;
const END: u32 = 15;

/// Where a panel begins and ends: column, row, column, row, each the number of a line of the module.
type Lines = [u32; 4];

/// No panel of the wide wall but the strip of events crosses its middle between the columns 12 and 13, where two outputs meet.
const WIDE: [(PanelKind, Lines); 11] = [
    (PanelKind::HeadLeft, [1, 1, 13, 2]),
    (PanelKind::HeadRight, [13, 1, 25, 2]),
    (PanelKind::Flow, [1, 2, 6, 6]),
    (PanelKind::Stages, [1, 6, 6, 10]),
    (PanelKind::Units, [1, 10, 6, 14]),
    (PanelKind::Map, [6, 2, 13, 14]),
    (PanelKind::Overdue, [13, 2, 19, 9]),
    (PanelKind::Whistles, [13, 9, 19, 14]),
    (PanelKind::Incident, [19, 2, 25, 14]),
    (PanelKind::Events, [1, FOOT, 19, END]),
    (PanelKind::Alarms, [19, FOOT, 25, END]),
];

const NARROW: [(PanelKind, Lines); 11] = [
    (PanelKind::HeadLeft, [1, 1, 6, 2]),
    (PanelKind::HeadRight, [6, 1, 13, 2]),
    (PanelKind::Flow, [1, 2, 5, 6]),
    (PanelKind::Stages, [1, 6, 5, 10]),
    (PanelKind::Units, [1, 10, 5, 14]),
    (PanelKind::Map, [5, 2, 9, 10]),
    (PanelKind::Overdue, [9, 2, 13, 8]),
    (PanelKind::Whistles, [5, 10, 9, 14]),
    (PanelKind::Incident, [9, 8, 13, 14]),
    (PanelKind::Events, [1, FOOT, 9, END]),
    (PanelKind::Alarms, [9, FOOT, 13, END]),
];

impl Scene {
    /// 平时
    #[must_use]
    pub fn usual() -> Self {
        let shapes = vec![shape(3_840, 142, &WIDE), shape(1_920, 140, &NARROW)];
        Self { id: USUAL.to_owned(), name: name("平时", "Daily"), shapes }
    }
}

impl Default for Walls {
    fn default() -> Self {
        let main =
            Wall { id: MAIN_WALL.to_owned(), name: name("主屏", "Main wall"), scene: USUAL.to_owned() };
        Self { walls: vec![main], scenes: vec![Scene::usual()] }
    }
}

fn name(zh: &str, en: &str) -> Name {
    Name { zh: zh.to_owned(), en: en.to_owned() }
}

fn shape(width: u32, column: u32, panels: &[(PanelKind, Lines)]) -> Shape {
    let column = column + GUTTER;
    let cell = |&(panel, [left, top, right, bottom]): &(PanelKind, Lines)| {
        let (x, y) = (MARGIN + (left - 1) * column, line(top));
        Cell { panel, x, y, width: (right - left) * column - GUTTER, height: line(bottom) - GUTTER - y }
    };
    Shape { width, height: HEIGHT, cells: panels.iter().map(cell).collect() }
}

/// Where the row of this number begins.
fn line(number: u32) -> u32 {
    match number {
        1 => TOP,
        END => line(FOOT) + STRIP + GUTTER,
        row => TOP + HEADER + GUTTER + (row - 2) * (ROW + GUTTER),
    }
}
