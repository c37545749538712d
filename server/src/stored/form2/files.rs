//! In form 2, the files of a case. Their bytes stand apart, under their hash.

use domain::case::CaseEvent;
use domain::code::CaseId;
use domain::event::Event;
use domain::file::{AttachedFile, FileHash};
use domain::moment::UtcMillis;
use domain::place::Point;
use serde::{Deserialize, Serialize};

use crate::stored::words::Spelt;
use crate::stored::{Read, spelt, word};

#[derive(Serialize, Deserialize)]
pub(super) struct FileAttached {
    case: u64,
    hash: String,
    name: String,
    kind: String,
    media: String,
    bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lat_e6: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lon_e6: Option<i32>,
}

pub(super) fn attached_form(case: u64, file: &AttachedFile) -> FileAttached {
    let AttachedFile { hash, name, kind, media, bytes, taken, place } = file;
    FileAttached {
        case,
        hash: hash.to_string(),
        name: name.clone(),
        kind: kind.word().to_owned(),
        media: media.word().to_owned(),
        bytes: *bytes,
        taken_ms: taken.map(|at| at.0),
        lat_e6: place.map(Point::lat_e6),
        lon_e6: place.map(Point::lon_e6),
    }
}

pub(super) fn attached(is: FileAttached) -> Read<Event> {
    let hash: FileHash = is.hash.parse().map_err(|_| word("hash", is.hash))?;
    let place = match is.lat_e6.zip(is.lon_e6) {
        None => None,
        Some((lat, lon)) => {
            Some(Point::from_e6(lat, lon).ok_or_else(|| word("lat_e6", format!("{lat}, {lon}")))?)
        }
    };
    let file = AttachedFile {
        hash,
        name: is.name,
        kind: spelt("kind", &is.kind)?,
        media: spelt("media", &is.media)?,
        bytes: is.bytes,
        taken: is.taken_ms.map(UtcMillis),
        place,
    };
    Ok(Event::Case(CaseId(is.case), CaseEvent::FileAttached(file)))
}
