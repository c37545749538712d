//! What can be put on the map, and what comes back when it is clicked.

use domain::case::Priority;
use domain::code::{AreaCode, CameraCode, CaseId};
use domain::place::Point;
use domain::position::Grid;
use domain::wire::{CaseLine, OpenCase};
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::api::from_js;

use crate::linked::NearCamera;
use crate::names::Names;

/// An open case on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapCase {
    pub id: CaseId,
    pub place: Point,
    pub priority: Priority,
    /// District it is counted in.
    pub area: Option<AreaCode>,
}

impl MapCase {
    /// None for a case without a position.
    pub fn of(case: &OpenCase, names: &Names) -> Option<Self> {
        Self::at(case.id, case.place, case.priority, &case.area_path, names)
    }

    /// The same of a case that is listed.
    pub fn listed(case: &CaseLine, names: &Names) -> Option<Self> {
        Self::at(case.id, case.place, case.priority, &case.area_path, names)
    }

    fn at(
        id: CaseId,
        place: Option<Point>,
        priority: Priority,
        area_path: &[AreaCode],
        names: &Names,
    ) -> Option<Self> {
        let area = names.district(area_path).cloned();
        Some(Self { id, place: place?, priority, area })
    }
}

/// A camera on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapCamera {
    pub code: CameraCode,
    pub place: Point,
    pub bearing_deg: Option<f32>,
    pub view_deg: f32,
    /// Number of its tile when it is linked to the incident.
    pub number: u32,
    /// State word of the video protocol: `live`, `delayed`, `lost` …; `idle` while nobody watches.
    pub state: &'static str,
}

impl MapCamera {
    /// Cameras linked to a spot, numbered in their order; `state` says how the picture of each is.
    pub fn linked(near: &[NearCamera], state: impl Fn(usize) -> &'static str) -> Vec<Self> {
        let mark = |(index, near): (usize, &NearCamera)| {
            Some(Self {
                code: near.camera.code.clone(),
                place: near.camera.place?,
                bearing_deg: near.camera.bearing_deg,
                view_deg: near.camera.view_deg,
                number: index as u32 + 1,
                state: state(index),
            })
        };
        near.iter().enumerate().filter_map(mark).collect()
    }
}

/// The incident in focus.
#[derive(Debug, Clone, PartialEq)]
pub struct MapFocus {
    pub place: Point,
    pub radius_m: f64,
    pub title: String,
    pub note: String,
}

/// Someone who matters for the incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapNamed {
    pub index: u32,
    pub letter: String,
    pub name: String,
}

/// One person's newest position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MapPerson {
    Here {
        index: u32,
        at: Grid,
        /// Sixteenths of a turn clockwise from north; none when standing still.
        heading: Option<u8>,
        age_seconds: u32,
    },
    Gone {
        index: u32,
    },
}

impl MapPerson {
    /// The five numbers the script reads.
    pub(super) fn row(self) -> [i32; 5] {
        match self {
            Self::Here { index, at, heading, age_seconds } => {
                // 16 parts of 22.5 degrees; the half degree is below what the mark shows.
                let degrees = heading.map_or(-1, |part| i32::from(part) * 45 / 2);
                [index as i32, at.lon, at.lat, degrees, age_seconds.min(i32::MAX as u32) as i32]
            }
            Self::Gone { index } => [index as i32, 0, 0, -1, -1],
        }
    }
}

/// What was clicked.
#[derive(Debug, Clone, PartialEq)]
pub enum MapClick {
    Case(CaseId),
    /// Several cases under one mark.
    Cases(Vec<CaseId>),
    Camera(CameraCode),
    Person(u32),
    People(Vec<u32>),
    District(AreaCode),
    /// A line of the legend: cases of one priority, 1 to 3.
    Priority(u8),
}

impl MapClick {
    /// `None` for a kind or an identity this program does not know.
    pub(super) fn read(kind: &str, id: JsValue) -> Option<Self> {
        match kind {
            "case" => from_js(id).ok().map(Self::Case),
            "cases" => from_js(id).ok().map(Self::Cases),
            "camera" => from_js(id).ok().map(Self::Camera),
            "person" => from_js(id).ok().map(Self::Person),
            "people" => from_js(id).ok().map(Self::People),
            "district" => from_js(id).ok().map(Self::District),
            "priority" => from_js(id).ok().map(Self::Priority),
            _ => None,
        }
    }
}
