//! What the REST answers carry that the screens read: one type for both ends, so that they cannot drift apart.
//!
//! What should be here: shapes of `/api/v1` answers. What should not: the live feed (`wire`) and rules.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::adoption::InForce;
use crate::camera::{Camera, Linked};
use crate::case::{Case, Closing};
use crate::catalogue::{Area, Catalogue, Class, Condition, Department, Name, Source};
use crate::clock::{Limit, WorkCalendar};
use crate::code::{AreaCode, CameraCode, DepartmentCode};
use crate::event::Recorded;
use crate::grant::Grant;
use crate::moment::{Date, UtcMillis, UtcOffset};
use crate::place::{Bounds, Point};
use crate::policy::Policy;
use crate::role::Role;
use crate::scope::Scope;
use crate::wire::EventLine;

pub mod files;
pub mod worlds;

/// `GET /api/v1/catalogue`: the names of all codes and the policy's figures. Areas keep the catalogue's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CatalogueAnswer {
    pub centre: Name,
    pub areas: Vec<Area>,
    pub classes: Vec<Class>,
    pub sources: Vec<Source>,
    pub departments: Vec<Department>,
    #[serde(default)]
    pub conditions: Vec<Condition>,
    pub policy: PolicyFigures,
    /// Version of the policy in force; 0 is the one the store began with.
    #[serde(default)]
    pub version: u64,
    /// SHA-256 of its body; none for the one the store began with.
    #[serde(default)]
    pub hash: Option<String>,
}

/// `GET /api/v1/import/namespace`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ImportNamespace {
    /// A UUID.
    pub namespace: String,
}

/// The policy without its codes: limits, lamp, calendar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PolicyFigures {
    pub stated_source: String,
    pub utc_offset_minutes: UtcOffset,
    pub dispatch_limit: Limit,
    pub disposal_limit: Limit,
    pub whistle_response_minutes: u16,
    pub forecast_minutes: u16,
    pub lamp_yellow_percent: u8,
    pub position_stale_seconds: u32,
    #[serde(default)]
    pub bounds: Option<Bounds>,
    pub calendar: WorkCalendar,
    /// Why supervision and disposal may be in one hand here; none where they are kept apart.
    #[serde(default)]
    pub powers_together: Option<String>,
}

impl CatalogueAnswer {
    /// The answer for the codes known now and the policy in force.
    #[must_use]
    pub fn of(catalogue: &Catalogue, in_force: &InForce) -> Self {
        let policy = &in_force.policy;
        let areas = catalogue.area_order.iter().filter_map(|code| catalogue.areas.get(code));
        Self {
            centre: policy.centre.clone(),
            areas: areas.cloned().collect(),
            classes: catalogue.classes.values().cloned().collect(),
            sources: catalogue.sources.values().cloned().collect(),
            departments: catalogue.departments.values().cloned().collect(),
            conditions: catalogue.conditions.values().cloned().collect(),
            policy: PolicyFigures::of(policy),
            version: in_force.version,
            hash: in_force.hash.map(|hash| hash.to_string()),
        }
    }
}

impl PolicyFigures {
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        Self {
            stated_source: policy.stated_source.clone(),
            utc_offset_minutes: policy.utc_offset_minutes,
            dispatch_limit: policy.dispatch_limit,
            disposal_limit: policy.disposal_limit,
            whistle_response_minutes: policy.whistle_response_minutes,
            forecast_minutes: policy.forecast_minutes,
            lamp_yellow_percent: policy.lamp_yellow_percent,
            position_stale_seconds: policy.position_stale_seconds,
            bounds: policy.bounds,
            calendar: policy.calendar.clone(),
            powers_together: policy.powers_together.clone(),
        }
    }
}

/// One page of a list; `next` is the cursor of the following page, none at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PageAnswer<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
    /// How many rows all pages have together, where that was asked for and could be counted in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// How far back it was searched (reports of this day and later), where the time for an answer was over before the
    /// list was: `next` goes on from there. Such a page may be short or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub searched_to: Option<Date>,
    /// Per cent of the log whose closed cases are in the lists, while they are still being laid out after a start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laid_out_percent: Option<u8>,
}

impl<T> PageAnswer<T> {
    /// A page of a list that is whole.
    #[must_use]
    pub fn of(items: Vec<T>, next: Option<String>) -> Self {
        Self { items, next, total: None, searched_to: None, laid_out_percent: None }
    }
}

/// `GET /api/v1/cases/{id}`: the case as it stands and what happened to it, the newest of it, oldest first: as events for
/// programs, and as the lines a screen shows. The steps it took are in the case itself, however much was written about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CaseAnswer {
    pub case: Case,
    /// How it ended; none of an open case, and of one that another system closed, which does not say.
    #[serde(skip_deserializing)]
    pub closing: Option<Closing>,
    #[serde(skip_deserializing)]
    pub timeline: Vec<Recorded>,
    /// The same events in short; their `case` is left out, for it is above.
    #[serde(default)]
    pub lines: Vec<EventLine>,
    /// There is more before the timeline: what to ask for it as `before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<u64>,
}

impl CaseAnswer {
    #[must_use]
    pub fn of(case: Case, timeline: Vec<Recorded>, older: Option<u64>) -> Self {
        let lines = timeline.iter().map(|recorded| EventLine::of(recorded, None)).collect();
        Self { closing: case.closing(), case, timeline, lines, older }
    }

    /// Puts the page before the timeline in front of it.
    pub fn add_older(&mut self, page: CaseAnswer) {
        let first = self.lines.first().map_or(u64::MAX, |line| line.seq);
        self.put_before(page, first);
    }

    /// Takes a newer answer of the same case, and keeps what was read of its past where the two touch.
    pub fn renew(&mut self, newer: CaseAnswer) {
        let past = std::mem::replace(self, newer);
        let last = past.lines.last().map_or(0, |line| line.seq);
        let touches = self.older.filter(|before| past.case.id == self.case.id && *before <= last + 1);
        if let Some(before) = touches.filter(|before| past.lines.iter().any(|line| line.seq < *before)) {
            self.put_before(past, before);
        }
    }

    /// Puts what happened before `first` in front.
    fn put_before(&mut self, page: CaseAnswer, first: u64) {
        self.timeline.splice(0..0, page.timeline.into_iter().filter(|recorded| recorded.seq < first));
        self.lines.splice(0..0, page.lines.into_iter().filter(|line| line.seq < first));
        self.older = page.older;
    }
}

/// `GET /api/v1/session`: who is signed in, and what they may do and see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionAnswer {
    pub name: String,
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub roles: Vec<Role>,
    /// The one department the account acts for.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub department: Option<DepartmentCode>,
    /// What it may see.
    pub scope: Scope,
    /// What a machine's token may do; none for people, and for tokens from before they were narrow.
    #[serde(default)]
    pub may: Option<BTreeSet<Grant>>,
    /// The account holds supervision and disposal in one hand, which this centre keeps apart: it may use neither until an
    /// administrator gives it one of the two.
    #[serde(default)]
    pub powers_withheld: bool,
    /// Goes into the `X-CSRF-Token` header of every write.
    pub csrf: String,
}

/// `GET /api/v1/tokens`: one token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    pub name: String,
    pub role: Role,
    pub created: UtcMillis,
    /// What can be seen with it; of an inspector's, where the inspector works.
    pub scope: Scope,
    /// What a machine may do with it.
    #[serde(default)]
    pub may: Option<BTreeSet<Grant>>,
    /// The one department a machine acts for.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub department: Option<DepartmentCode>,
    /// A machine's token from before they were narrow: supervision and disposal, for all departments.
    #[serde(default)]
    pub wide: bool,
}

/// `POST /api/v1/kiosk/ask`: what a kiosk gets when it asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ClaimAnswer {
    /// Six digits to show on the wall.
    pub code: String,
    /// Kept by the kiosk and sent when it asks again; never shown.
    pub claim: String,
    pub expires: UtcMillis,
    /// How long the code is valid from now on, for a kiosk whose own clock is wrong.
    pub lasts_ms: i64,
}

/// `POST /api/v1/kiosk/claim`: whether the wall may show itself, and which it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PairedAnswer {
    pub paired: bool,
    pub wall: Option<String>,
}

/// `GET /api/v1/cameras`: one camera, in one flat object. Its stream addresses are never in one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CameraRow {
    pub code: CameraCode,
    pub name: String,
    pub place: Option<Point>,
    /// Degrees clockwise from north.
    pub bearing_deg: Option<f32>,
    pub view_deg: f32,
    pub owner: Option<String>,
    pub has_sub: bool,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub area: Option<AreaCode>,
    /// The state of the stream that is open now ([`crate::stream::State`]); `idle` when none is.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub state: Cow<'static, str>,
    /// Metres to the place asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<f64>,
    /// Degrees from north, clockwise, from the camera to the place asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearing_from_camera: Option<f64>,
    /// Whether the place lies in the camera's field of view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sees: Option<bool>,
}

impl CameraRow {
    /// A camera as it stands in a list, without a place that was asked for.
    #[must_use]
    pub fn of(camera: Camera, state: &'static str) -> Self {
        let Camera { code, name, place, bearing_deg, view_deg, owner, has_sub, area } = camera;
        let (state, distance_m, bearing_from_camera, sees) = (state.into(), None, None, None);
        Self {
            code,
            name,
            place,
            bearing_deg,
            view_deg,
            owner,
            has_sub,
            area,
            state,
            distance_m,
            bearing_from_camera,
            sees,
        }
    }

    /// One that was ranked for a place.
    #[must_use]
    pub fn linked(linked: Linked, state: &'static str) -> Self {
        Self {
            distance_m: Some(linked.distance_m),
            bearing_from_camera: Some(linked.bearing_from_camera),
            sees: Some(linked.sees),
            ..Self::of(linked.camera, state)
        }
    }

    /// The camera alone.
    #[must_use]
    pub fn into_camera(self) -> Camera {
        let Self { code, name, place, bearing_deg, view_deg, owner, has_sub, area, .. } = self;
        Camera { code, name, place, bearing_deg, view_deg, owner, has_sub, area }
    }
}

/// `GET /api/v1/map`: what the map shows under the marks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MapAnswer {
    /// Addresses of GeoJSON layers in WGS-84, bottom first.
    pub layers: Vec<String>,
    /// True while only the drawn demo map is there: screens then say 示意图.
    pub schematic: bool,
    /// Raster tiles below the layers, with `{z}`, `{x}` and `{y}`.
    pub raster: Option<String>,
    pub raster_zoom_max: u8,
    /// A PMTiles archive below the layers.
    pub pmtiles: Option<String>,
    pub attribution: String,
    /// 审图号
    pub approval_number: String,
    /// Where the city is, for a map whose layers do not say.
    pub bounds: Option<Bounds>,
}
