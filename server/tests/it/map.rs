//! The city's own map as a browser and a stranger meet it: layers, tiles, an archive in ranges.

use std::path::Path;

use domain::moment::UtcMillis;
use domain::role::Role;
use serde_json::json;

use crate::http::{Served, served, served_with};

const LAYER: &str = r#"{"type":"FeatureCollection","features":[]}"#;
const SECRET: &str = "nobody may read this";

/// Magic, version, and as many bytes that tell their place.
fn archive() -> Vec<u8> {
    let rest = (0..4_000).map(|place: u32| b'a' + u8::try_from(place % 26).unwrap());
    b"PMTiles\x03".iter().copied().chain(rest).collect()
}

fn write(dir: &Path) {
    std::fs::create_dir_all(dir.join("tiles/2/1")).unwrap();
    std::fs::write(dir.join("tiles/2/1/3.png"), "a picture").unwrap();
    std::fs::write(dir.join("tiles/2/1/secret.png"), SECRET).unwrap();
    std::fs::write(dir.join("secret.png"), SECRET).unwrap();
    std::fs::write(dir.join("roads.geojson"), LAYER).unwrap();
    std::fs::write(dir.join("city.pmtiles"), archive()).unwrap();
}

async fn with_a_map(dir: &Path) -> Served {
    write(dir);
    served_with(|config| {
        config.map.layers = vec![dir.join("roads.geojson")];
        config.map.tiles = Some(dir.join("tiles"));
        config.map.pmtiles = Some(dir.join("city.pmtiles"));
        config.map.attribution = "City survey".into();
        config.map.approval_number = "滇S(2026)001号".into();
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_names_what_is_set_and_serves_it() {
    let dir = tempfile::tempdir().unwrap();
    let hall = with_a_map(dir.path()).await;
    let map = hall.get("/api/v1/map").await.json();
    assert_eq!(map["schematic"], false);
    assert_eq!(map["layers"], json!(["/api/v1/map/layers/0"]));
    assert_eq!(map["raster"], "/tiles/{z}/{x}/{y}.png");
    assert_eq!(map["pmtiles"], "/tiles/archive.pmtiles");
    assert_eq!(map["attribution"], "City survey");
    assert_eq!(map["approval_number"], "滇S(2026)001号");
    let layer = hall.get("/api/v1/map/layers/0").await;
    assert_eq!((layer.status, layer.text.as_str()), (200, LAYER));
    assert_eq!(layer.headers["content-type"], "application/geo+json");
    assert_eq!(hall.get("/api/v1/map/layers/1").await.status, 404);
    let tile = hall.get("/tiles/2/1/3.png").await;
    assert_eq!((tile.status, tile.text.as_str()), (200, "a picture"));
    assert_eq!(tile.headers["content-type"], "image/png");
    assert_eq!(tile.headers["cache-control"], "private, max-age=3600");
    assert_eq!(hall.get("/tiles/2/1/2.png").await.code(), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_settings_the_map_is_the_schematic_and_there_are_no_tiles() {
    let hall = served().await;
    let map = hall.get("/api/v1/map").await.json();
    assert_eq!(map["schematic"], true);
    assert_eq!(map["layers"], json!(["/map/schematic.geojson"]));
    assert_eq!((&map["raster"], &map["pmtiles"]), (&json!(null), &json!(null)));
    assert_eq!(hall.get("/tiles/2/1/3.png").await.code(), "not_found");
    assert_eq!(hall.get("/tiles/archive.pmtiles").await.code(), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_of_a_request_leads_out_of_the_tiles() {
    let dir = tempfile::tempdir().unwrap();
    let hall = with_a_map(dir.path()).await;
    for path in [
        "/tiles/2/1/secret.png",
        "/tiles/2/1/..%2f..%2f..%2fsecret.png",
        "/tiles/2/../../secret.png",
        "/tiles/2/%2e%2e/%2e%2e%2fsecret.png",
        "/tiles/%2e%2e/%2e%2e/secret.png",
        "/tiles/2/1/%2fetc%2fpasswd",
        "/tiles/2/1/..%5c..%5csecret.png",
        "/tiles/2/4/3.png",
        "/tiles/2/1/3.png%00.png",
    ] {
        let answer = hall.get(path).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.text.contains(SECRET), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_read_in_ranges() {
    let dir = tempfile::tempdir().unwrap();
    let hall = with_a_map(dir.path()).await;
    let bytes = archive();
    let bearer = format!("Bearer {}", hall.token);
    let range = |range: &'static str| {
        let headers =
            [("authorization", bearer.clone()), ("range", range.into()), ("accept-encoding", "br".into())];
        let hall = &hall;
        async move {
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            hall.ask("GET", "/tiles/archive.pmtiles", &headers, None).await
        }
    };
    let part = range("bytes=8-107").await;
    assert_eq!(part.status, 206);
    assert_eq!(part.text.as_bytes(), &bytes[8..108]);
    assert_eq!(part.headers["content-range"], format!("bytes 8-107/{}", bytes.len()));
    assert!(!part.headers.contains_key("content-encoding"));
    // The reader's first question is for more than a small archive has.
    let start = range("bytes=0-16383").await;
    assert!(start.status == 206 && start.text.as_bytes() == bytes || start.status == 416, "{}", start.status);
    assert_eq!(range("bytes=90000-90001").await.status, 416);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_is_for_those_who_signed_in_and_for_paired_walls() {
    let dir = tempfile::tempdir().unwrap();
    let hall = with_a_map(dir.path()).await;
    let wall = hall.running.hall.access.make_token("wall", Role::Kiosk, UtcMillis(0)).await.unwrap();
    let bearer = format!("Bearer {}", wall.expose());
    for path in ["/api/v1/map", "/api/v1/map/layers/0", "/tiles/2/1/3.png", "/tiles/archive.pmtiles"] {
        let stranger = hall.ask("GET", path, &[], None).await;
        assert_eq!((stranger.status, stranger.code().as_str()), (401, "sign_in_required"), "{path}");
        assert_eq!(hall.ask("GET", path, &[("authorization", &bearer)], None).await.status, 200, "{path}");
    }
}
