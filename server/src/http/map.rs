//! What the map shows under the marks: the customer's layers and tiles, or the schematic demo map.
//!
//! What should not be here: which of them are set (`config::map`), how they are drawn (`scripts/map`).

use axum::Json as Answer;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::answer::MapAnswer;
use tower_http::services::ServeFile;

use super::Hall;
use crate::config::ZOOM_MAX;
use crate::http::extract::Path;
use crate::problem::Problem;

/// Tiles are asked for by the hundred and seldom change.
const TILE_CACHE: HeaderValue = HeaderValue::from_static("private, max-age=3600");
/// Asked for anew each time, answered with 304 when unchanged.
const FRESH: HeaderValue = HeaderValue::from_static("no-cache");

/// Which layers the map has.
#[utoipa::path(get, path = "/api/v1/map", tag = "hall", responses((status = 200, body = MapAnswer)))]
pub async fn settings(State(hall): State<Hall>) -> Answer<MapAnswer> {
    let map = &hall.config.map;
    let schematic = map.is_schematic();
    let layers = if schematic {
        vec!["/map/schematic.geojson".to_owned()]
    } else {
        (0..map.layers.len()).map(|index| format!("/api/v1/map/layers/{index}")).collect()
    };
    Answer(MapAnswer {
        layers,
        schematic,
        raster: map.raster_path().map(str::to_owned),
        raster_zoom_max: map.raster_zoom_max,
        pmtiles: map.pmtiles.is_some().then(|| "/tiles/archive.pmtiles".to_owned()),
        attribution: map.attribution.clone(),
        approval_number: map.approval_number.clone(),
        bounds: hall.policy().bounds,
    })
}

/// One of the customer's layers.
#[utoipa::path(get, path = "/api/v1/map/layers/{index}", tag = "hall", params(("index" = u16, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub async fn layer(
    State(hall): State<Hall>,
    Path(index): Path<u16>,
    request: Request,
) -> Result<Response, Problem> {
    let file =
        hall.config.map.layers.get(usize::from(index)).ok_or_else(|| Problem::not_found("no such layer"))?;
    // Twins that stand beside it are sent to who takes them; nothing is compressed when it is asked for.
    let file = ServeFile::new(file).precompressed_br().precompressed_gzip();
    let mut answer = serve(file, request, FRESH).await?;
    if let Some(kind) = answer.headers_mut().get_mut(header::CONTENT_TYPE) {
        *kind = HeaderValue::from_static("application/geo+json");
    }
    Ok(answer)
}

/// One raster tile of the folder `map.tiles`.
#[utoipa::path(get, path = "/tiles/{z}/{x}/{file}", tag = "hall",
    params(("z" = u8, Path), ("x" = u32, Path), ("file" = String, Path, description = "number and kind, as `12.png`")),
    responses((status = 200, description = "the picture"), (status = 404, body = Problem)))]
pub async fn tile(
    State(hall): State<Hall>,
    Path((z, x, file)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let none = || Problem::not_found("no such tile");
    let folder = hall.config.map.tiles.as_ref().ok_or_else(none)?;
    let spot = Tile::read(&z, &x, &file).ok_or_else(none)?;
    let path = folder.join(spot.z.to_string()).join(spot.x.to_string()).join(spot.name());
    serve(ServeFile::new(&path), request, TILE_CACHE).await
}

/// The PMTiles archive, whole or in ranges.
#[utoipa::path(get, path = "/tiles/archive.pmtiles", tag = "hall", responses(
    (status = 200, description = "the archive"), (status = 206, description = "the bytes of the `Range` header"),
    (status = 404, body = Problem), (status = 416, description = "no such bytes")))]
pub async fn archive(State(hall): State<Hall>, request: Request) -> Result<Response, Problem> {
    let none = || Problem::not_found("no archive of tiles is set");
    let file = hall.config.map.pmtiles.as_ref().ok_or_else(none)?;
    serve(ServeFile::new(file), request, FRESH).await
}

async fn serve(mut file: ServeFile, request: Request, cache: HeaderValue) -> Result<Response, Problem> {
    let answer = file.try_call(request).await;
    let answer = answer.map_err(|error| Problem::internal("cannot read a file of the map", &error))?;
    if answer.status() == axum::http::StatusCode::NOT_FOUND {
        return Err(Problem::not_found("no such file of the map"));
    }
    let mut answer = answer.into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, cache);
    Ok(answer)
}

/// Kinds of pictures a browser draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Jpg,
    Jpeg,
    Webp,
    Avif,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Png, Self::Jpg, Self::Jpeg, Self::Webp, Self::Avif];

    const fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpg => "jpg",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Avif => "avif",
        }
    }
}

/// A place in the grid. Its path is written from the numbers, so that no word of the request gets into it.
#[derive(Debug, PartialEq, Eq)]
struct Tile {
    z: u8,
    x: u32,
    y: u32,
    kind: Kind,
}

impl Tile {
    fn read(z: &str, x: &str, file: &str) -> Option<Self> {
        let (y, ending) = file.split_once('.')?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.ending() == ending)?;
        let (z, x, y): (u8, u32, u32) = (z.parse().ok()?, x.parse().ok()?, y.parse().ok()?);
        let inside = z <= ZOOM_MAX && x < 1 << z && y < 1 << z;
        inside.then_some(Self { z, x, y, kind })
    }

    fn name(&self) -> String {
        format!("{}.{}", self.y, self.kind.ending())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_within_the_grid_name_a_tile() {
        let tile = Tile::read("3", "7", "0.webp").unwrap();
        assert_eq!((tile.z, tile.x, tile.name().as_str()), (3, 7, "0.webp"));
        for (z, x, file) in [
            ("3", "8", "0.png"),
            ("25", "0", "0.png"),
            ("3", "..", "0.png"),
            ("3", "7", "../0.png"),
            ("3", "7", "0.png/../../secret"),
            ("3", "7", "0.toml"),
            ("3", "7", "0"),
            ("-1", "0", "0.png"),
        ] {
            assert_eq!(Tile::read(z, x, file), None, "{z}/{x}/{file}");
        }
    }
}
