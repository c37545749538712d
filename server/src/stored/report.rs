//! The stored form of a report, the same in every form of the events that hold one.

use domain::case::{External, Report};
use domain::code::{AreaCode, ClassCode, SourceCode};
use domain::place::Point;
use serde::{Deserialize, Serialize};

use super::words::Spelt;
use super::{Read, code, spelt, word};

#[derive(Serialize, Deserialize)]
pub(super) struct ReportForm {
    source: String,
    class: String,
    area: String,
    condition: Option<String>,
    address: String,
    description: String,
    lat_e6: Option<i32>,
    lon_e6: Option<i32>,
    priority: String,
    base_count: u16,
    /// Who reported it, in rows of form 1 that have not been moved; nobody since.
    reporter: Option<String>,
    /// The keyed hash that stands for whoever reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reporter_mark: Option<String>,
    external_system: Option<String>,
    external_id: Option<String>,
}

/// Whoever reported it is not in the form: `mark` stands there.
pub(super) fn report_form(report: &Report, mark: Option<&str>) -> ReportForm {
    ReportForm {
        source: report.source.to_string(),
        class: report.class.to_string(),
        area: report.area.to_string(),
        condition: report.condition.clone(),
        address: report.address.clone(),
        description: report.description.clone(),
        lat_e6: report.place.map(Point::lat_e6),
        lon_e6: report.place.map(Point::lon_e6),
        priority: report.priority.word().to_owned(),
        base_count: report.base_count,
        reporter: None,
        reporter_mark: mark.map(str::to_owned),
        external_system: report.external.as_ref().map(|external| external.system.clone()),
        external_id: report.external.as_ref().map(|external| external.id.clone()),
    }
}

pub(super) fn report(is: ReportForm) -> Read<Report> {
    let place = match is.lat_e6.zip(is.lon_e6) {
        None => None,
        Some((lat, lon)) => {
            Some(Point::from_e6(lat, lon).ok_or_else(|| word("lat_e6", format!("{lat}, {lon}")))?)
        }
    };
    let external = is.external_system.zip(is.external_id).map(|(system, id)| External { system, id });
    Ok(Report {
        source: code("source", is.source, SourceCode::new)?,
        class: code("class", is.class, ClassCode::new)?,
        area: code("area", is.area, AreaCode::new)?,
        condition: is.condition,
        address: is.address,
        description: is.description,
        place,
        priority: spelt("priority", &is.priority)?,
        base_count: is.base_count,
        reporter: is.reporter,
        external,
    })
}
