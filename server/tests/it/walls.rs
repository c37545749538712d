//! The hall's walls as a screen asks for them, and as somebody who lets one in names them.

use domain::moment::UtcMillis;
use domain::role::Role;
use serde_json::json;

use crate::http::{served, served_with};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/walls.toml");

#[tokio::test(flavor = "multi_thread")]
async fn without_a_file_there_is_one_wall_with_the_built_in_scene() {
    let hall = served().await;
    let walls = hall.get("/api/v1/walls").await.json();
    assert_eq!(
        walls["walls"],
        json!([{ "id": "main", "name": { "zh": "主屏", "en": "Main wall" }, "scene": "usual" }])
    );
    assert_eq!(walls["scenes"].as_array().unwrap().len(), 1);
    assert_eq!(walls["scenes"][0]["shapes"][1]["cells"][2]["panel"], "flow");
}

#[tokio::test(flavor = "multi_thread")]
async fn walls_of_a_file_are_told_and_a_screen_is_let_in_as_one_of_them_only() {
    let hall = served_with(|config| config.walls.file = Some(FILE.into())).await;
    let walls = hall.get("/api/v1/walls").await.json();
    assert_eq!((&walls["walls"][1]["id"], &walls["scenes"][1]["id"]), (&json!("side"), &json!("map")));
    let admin = hall.running.hall.access.make_token("pairing", Role::Admin, UtcMillis(0)).await.unwrap();
    let admin = format!("Bearer {}", admin.expose());
    let approve = async |wall: &str| {
        let form = json!({ "code": "000000", "name": "screen", "wall": wall });
        let headers = [("authorization", admin.as_str()), ("content-type", "application/json")];
        hall.ask("POST", "/api/v1/kiosk/approve", &headers, Some(form.to_string())).await
    };
    let refused = approve("east").await;
    assert_eq!((refused.status, refused.json()["field"].as_str()), (400, Some("wall")));
    assert!(refused.text.contains("main, side"), "{}", refused.text);
    // The wall is known; nobody shows that code.
    assert_eq!(approve("side").await.json()["field"], "code");
}
