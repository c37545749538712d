//! The schematic demo city: districts, streets, communities, a lake and a connected road network.
//!
//! One plan (`schematic/plan.txt`) feeds the map on the screens, the areas of the demo policy, the camera list
//! and the streets that simulated inspectors walk along. Outlines are fictional; the screens say so.
//! Not here: who walks where and what happens (the simulated city itself).

mod shape;
mod plan;
mod network;
mod cameras;
mod export;
#[cfg(test)]
mod tests;

pub use cameras::Camera;
pub use network::{Link, Network, Node, Road, RoadClass};
pub use plan::PlanError;

use domain::catalogue::Name;
use domain::code::AreaCode;
use domain::place::{Bounds, Point};
use shape::Spot;

/// The code of the whole city (市).
pub const CITY_CODE: &str = "530100";

/// The whole schematic city.
#[derive(Debug)]
pub struct Schematic {
    pub name: Name,
    /// The ranked units in the order of the bulletin.
    pub districts: Vec<District>,
    pub lake: Lake,
    pub network: Network,
}

/// A ranked unit (区县、开发区).
#[derive(Debug)]
pub struct District {
    pub code: AreaCode,
    pub name: Name,
    /// The name as lists and the map write it.
    pub short: Name,
    pub label: Point,
    pub streets: Vec<Street>,
    outline: Vec<Spot>,
}

/// A street office's area (街道).
#[derive(Debug)]
pub struct Street {
    pub code: AreaCode,
    pub name: Name,
    pub label: Point,
    pub communities: Vec<Community>,
    outline: Vec<Spot>,
}

/// A community (社区): a code and a name; the schematic draws no border for it.
#[derive(Debug)]
pub struct Community {
    pub code: AreaCode,
    pub name: Name,
}

/// The lake in the middle.
#[derive(Debug)]
pub struct Lake {
    pub name: Name,
    pub label: Point,
    outline: Vec<Spot>,
}

impl Schematic {
    /// Builds the city from the plan in the source tree.
    pub fn build() -> Result<Self, PlanError> {
        plan::parse(include_str!("schematic/plan.txt"))
    }

    /// The district and street that a point lies in; `None` on the lake and outside the city.
    #[must_use]
    pub fn street_at(&self, point: Point) -> Option<(&District, &Street)> {
        let at = Spot::of_ground(point);
        self.districts.iter().find_map(|district| {
            let street = district.streets.iter().find(|street| shape::contains(&street.outline, at))?;
            Some((district, street))
        })
    }

    /// The smallest rectangle around all districts. The lake reaches beyond it to the south.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let corners = || self.districts.iter().flat_map(District::outline);
        Bounds {
            south: corners().map(Point::lat).fold(f64::INFINITY, f64::min),
            west: corners().map(Point::lon).fold(f64::INFINITY, f64::min),
            north: corners().map(Point::lat).fold(f64::NEG_INFINITY, f64::max),
            east: corners().map(Point::lon).fold(f64::NEG_INFINITY, f64::max),
        }
    }

    /// Camera sites along the roads, the same in every run.
    #[must_use]
    pub fn cameras(&self) -> Vec<Camera> {
        cameras::place(self)
    }

    /// The map layers as GeoJSON (`public/map/schematic.geojson`).
    #[must_use]
    pub fn geojson(&self) -> String {
        export::geojson(self)
    }

    /// The areas as the policy file lists them (`demo/areas.toml`).
    #[must_use]
    pub fn areas_toml(&self) -> String {
        export::areas_toml(self)
    }

    /// The camera sites as a table (`demo/cameras.csv`).
    #[must_use]
    pub fn cameras_csv(&self) -> String {
        export::cameras_csv(&self.cameras())
    }
}

impl District {
    /// Corners in WGS-84, not closed.
    pub fn outline(&self) -> impl Iterator<Item = Point> {
        self.outline.iter().map(|spot| spot.ground())
    }
}

impl Street {
    /// Corners in WGS-84, not closed.
    pub fn outline(&self) -> impl Iterator<Item = Point> {
        self.outline.iter().map(|spot| spot.ground())
    }
}

impl Lake {
    /// Corners in WGS-84, not closed.
    pub fn outline(&self) -> impl Iterator<Item = Point> {
        self.outline.iter().map(|spot| spot.ground())
    }
}
