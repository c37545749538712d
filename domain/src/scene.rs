//! What a wall shows: scenes (场景) of panels in cells, and the walls (大屏) of a hall, each with its scene.
//!
//! What should be here: which panels there are, where each hangs, and which scenes hold. What should not: how a panel looks
//! (`app::panel`), and where a hall's scenes are written down (`server::config`).

mod built_in;

use serde::{Deserialize, Serialize};

use crate::catalogue::Name;
use crate::route::MAIN_WALL;

pub use built_in::USUAL;

/// A scene (场景): what hangs where on a wall at one occasion. It may be laid out for screens of several proportions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Scene {
    pub id: String,
    pub name: Name,
    pub shapes: Vec<Shape>,
}

/// A scene laid out for screens of about these proportions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Pixels of the wall it was drawn for; another one shows the same picture in its own pixels.
    pub width: u32,
    pub height: u32,
    /// In the order in which they are read.
    pub cells: Vec<Cell>,
}

/// A place on a wall, in pixels of its shape, with the panel that hangs there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Cell {
    pub panel: PanelKind,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// The panels there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PanelKind {
    /// Whose hall, which scene.
    HeadLeft,
    /// What time, and how old what is seen.
    HeadRight,
    /// 立案 and 结案 today.
    Flow,
    /// 环节
    Stages,
    /// 区县
    Units,
    Map,
    /// 超时未派遣
    Overdue,
    /// 吹哨
    Whistles,
    /// The case in focus, with its cameras.
    Incident,
    Events,
    /// The room's own load.
    Alarms,
}

impl PanelKind {
    /// As it stands in files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::HeadLeft => "head_left",
            Self::HeadRight => "head_right",
            Self::Flow => "flow",
            Self::Stages => "stages",
            Self::Units => "units",
            Self::Map => "map",
            Self::Overdue => "overdue",
            Self::Whistles => "whistles",
            Self::Incident => "incident",
            Self::Events => "events",
            Self::Alarms => "alarms",
        }
    }

    /// Width and height below which words are cut, in 108ths of the wall's height: letters are as large as the wall is high.
    #[must_use]
    pub fn least(self) -> (u32, u32) {
        match self {
            Self::HeadLeft => (76, 6),
            Self::HeadRight => (107, 6),
            Self::Flow | Self::Stages | Self::Units | Self::Whistles => (60, 27),
            Self::Map => (40, 30),
            Self::Overdue | Self::Incident => (60, 41),
            Self::Events | Self::Alarms => (60, 9),
        }
    }
}

/// Units in a wall's height: every length of a panel is a multiple of one.
pub const UNITS: u32 = 108;
/// Longest side of a shape.
const SIDE_MAX: u32 = 100_000;
const SHAPES_MAX: usize = 8;
const LIST_MAX: usize = 64;
const ID_BYTES_MAX: usize = 64;

/// How a scene hangs on a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hanging {
    /// Each panel at its place.
    Placed,
    /// One below another, in the order of reading: a screen that is no wider than high is no wall.
    Stacked,
}

/// Why a scene does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SceneError {
    #[error("`{0}` is no name for an address: 1 to 64 letters without accents, digits, `-` or `_`")]
    Id(String),
    #[error("name: {0}")]
    Name(crate::text::TextError),
    #[error("has {0} shapes; 1 to {SHAPES_MAX} are taken")]
    Shapes(usize),
    #[error("{0} × {1} is no size of a wall: 100 to {SIDE_MAX} pixels each way")]
    Size(u32, u32),
    #[error("{width} × {height}: {problem}")]
    Shape { width: u32, height: u32, problem: CellError },
}

/// Why the cells of a shape do not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    #[error("`{}` reaches beyond the wall", .0.key())]
    Outside(PanelKind),
    #[error("`{}` and `{}` lie on each other", .0.key(), .1.key())]
    Overlap(PanelKind, PanelKind),
    #[error("`{}` hangs twice", .0.key())]
    Twice(PanelKind),
    #[error(
        "`{}` needs {least_width} × {least_height} pixels here, and has {width} × {height}", .panel.key()
    )]
    Small { panel: PanelKind, width: u32, height: u32, least_width: u32, least_height: u32 },
    #[error("without `head_right` nobody sees how old everything else is")]
    Headless,
}

impl Scene {
    /// Says what does not hold, if anything.
    pub fn check(&self) -> Result<(), SceneError> {
        check_id(&self.id)?;
        self.name.check().map_err(SceneError::Name)?;
        if self.shapes.is_empty() || self.shapes.len() > SHAPES_MAX {
            return Err(SceneError::Shapes(self.shapes.len()));
        }
        self.shapes.iter().try_for_each(Shape::check)
    }

    /// The shape for a screen, and how it hangs there: the one whose proportions are nearest.
    #[must_use]
    pub fn hung(&self, width: f64, height: f64) -> Option<(Hanging, &Shape)> {
        let proportion = width / height.max(1.0);
        let apart = |shape: &Shape| {
            let own = f64::from(shape.width) / f64::from(shape.height.max(1));
            (own / proportion).max(proportion / own)
        };
        let nearest = self.shapes.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)))?;
        let hanging = if width > height { Hanging::Placed } else { Hanging::Stacked };
        Some((hanging, nearest))
    }
}

impl Shape {
    fn check(&self) -> Result<(), SceneError> {
        let Self { width, height, .. } = *self;
        if ![width, height].iter().all(|side| (100..=SIDE_MAX).contains(side)) {
            return Err(SceneError::Size(width, height));
        }
        self.check_cells().map_err(|problem| SceneError::Shape { width, height, problem })
    }

    fn check_cells(&self) -> Result<(), CellError> {
        for (at, cell) in self.cells.iter().enumerate() {
            let inside =
                |from: u32, long: u32, whole: u32| from.checked_add(long).is_some_and(|to| to <= whole);
            if !inside(cell.x, cell.width, self.width) || !inside(cell.y, cell.height, self.height) {
                return Err(CellError::Outside(cell.panel));
            }
            let (least_width, least_height) = cell.panel.least();
            let [least_width, least_height] =
                [least_width, least_height].map(|units| (units * self.height).div_ceil(UNITS));
            if cell.width < least_width || cell.height < least_height {
                let Cell { panel, width, height, .. } = *cell;
                return Err(CellError::Small { panel, width, height, least_width, least_height });
            }
            for other in &self.cells[..at] {
                if other.panel == cell.panel {
                    return Err(CellError::Twice(cell.panel));
                }
                if other.meets(cell) {
                    return Err(CellError::Overlap(other.panel, cell.panel));
                }
            }
        }
        let headed = self.cells.iter().any(|cell| cell.panel == PanelKind::HeadRight);
        if headed { Ok(()) } else { Err(CellError::Headless) }
    }
}

impl Cell {
    /// Whether both cover a pixel. Both lie inside their wall.
    fn meets(&self, other: &Self) -> bool {
        let apart = |a: u32, a_long: u32, b: u32, b_long: u32| a + a_long <= b || b + b_long <= a;
        !apart(self.x, self.width, other.x, other.width) && !apart(self.y, self.height, other.y, other.height)
    }

    /// Left, top, width and height in hundredths of its wall's.
    #[must_use]
    pub fn percent(&self, shape: &Shape) -> [f64; 4] {
        let of = |part: u32, whole: u32| f64::from(part) * 100.0 / f64::from(whole.max(1));
        [
            of(self.x, shape.width),
            of(self.y, shape.height),
            of(self.width, shape.width),
            of(self.height, shape.height),
        ]
    }
}

/// A wall (大屏) of the hall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Wall {
    /// As it stands in addresses.
    pub id: String,
    pub name: Name,
    /// The scene it shows.
    pub scene: String,
}

/// The walls of a hall and the scenes there are: `GET /api/v1/walls`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Walls {
    pub walls: Vec<Wall>,
    pub scenes: Vec<Scene>,
}

/// Why the walls of a hall do not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WallsError {
    #[error("scene `{0}`: {1}")]
    Scene(String, SceneError),
    #[error("wall `{0}`: {1}")]
    Wall(String, SceneError),
    #[error("wall `{wall}`: there is no scene `{scene}`")]
    NoScene { wall: String, scene: String },
    #[error("`{0}` is named twice")]
    Twice(String),
    #[error("there is no wall `{MAIN_WALL}`, to which `/wall` leads")]
    NoMain,
    #[error("{0} walls and scenes; of each {LIST_MAX} are taken")]
    Many(usize),
}

/// What an address asks for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Wall,
    Scene,
}

impl Walls {
    /// These walls, with scenes beside the built-in one.
    pub fn new(walls: Vec<Wall>, own: Vec<Scene>) -> Result<Self, WallsError> {
        let built_in = std::iter::once(Scene::usual());
        let all = Self { walls, scenes: built_in.chain(own).collect() };
        all.check().map(|()| all)
    }

    fn check(&self) -> Result<(), WallsError> {
        if self.walls.len().max(self.scenes.len()) > LIST_MAX {
            return Err(WallsError::Many(self.walls.len() + self.scenes.len()));
        }
        let ids: [Vec<&str>; 2] = [
            self.scenes.iter().map(|scene| scene.id.as_str()).collect(),
            self.walls.iter().map(|wall| wall.id.as_str()).collect(),
        ];
        for ids in ids {
            if let Some((_, id)) = ids.iter().enumerate().find(|(at, id)| ids[..*at].contains(*id)) {
                return Err(WallsError::Twice((*id).to_owned()));
            }
        }
        for scene in &self.scenes {
            scene.check().map_err(|error| WallsError::Scene(scene.id.clone(), error))?;
        }
        for wall in &self.walls {
            let named = wall.name.check().map_err(SceneError::Name);
            check_id(&wall.id).and(named).map_err(|error| WallsError::Wall(wall.id.clone(), error))?;
            if self.scene(&wall.scene).is_none() {
                return Err(WallsError::NoScene { wall: wall.id.clone(), scene: wall.scene.clone() });
            }
        }
        self.walls.iter().any(|wall| wall.id == MAIN_WALL).then_some(()).ok_or(WallsError::NoMain)
    }

    /// The wall of an address: its name, or its number in the list, from 1.
    #[must_use]
    pub fn wall(&self, address: &str) -> Option<&Wall> {
        let named = self.walls.iter().find(|wall| wall.id == address);
        named.or_else(|| self.walls.get(address.parse::<usize>().ok()?.checked_sub(1)?))
    }

    #[must_use]
    pub fn scene(&self, id: &str) -> Option<&Scene> {
        self.scenes.iter().find(|scene| scene.id == id)
    }

    /// What is shown at a wall's address, which may ask for another scene than the wall's own.
    pub fn shown(&self, wall: &str, scene: Option<&str>) -> Result<&Scene, Missing> {
        let wall = self.wall(wall).ok_or(Missing::Wall)?;
        self.scene(scene.unwrap_or(&wall.scene)).ok_or(Missing::Scene)
    }
}

fn check_id(id: &str) -> Result<(), SceneError> {
    let letters = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let is_id = letters && (1..=ID_BYTES_MAX).contains(&id.len());
    if is_id { Ok(()) } else { Err(SceneError::Id(id.to_owned())) }
}

#[cfg(test)]
mod tests;
