//! Whose position a machine may report.

use domain::code::AreaCode;
use domain::role::Role;
use serde_json::{Value, json};
use server::clock::Clock;

use super::world::{inspector_in, world};
use super::{AREAS, scopes, sender};
use crate::http::served_with;

/// Method: a machine with each kind of scope reports the inspectors of both areas, one nobody knows, and all in one batch.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_reports_those_it_sees_and_is_told_of_the_others() {
    let world = world().await;
    let mut whole = 0;
    for (name, scope) in scopes() {
        let machine = sender(&world.hall, Role::Machine, name, &scope).await;
        let inspectors: Vec<String> =
            AREAS.map(inspector_in).into_iter().chain(["J-NOBODY".to_owned()]).collect();
        let fixed = Clock::machine().now().0;
        let fixes: Vec<Value> = inspectors
            .iter()
            .map(|inspector| json!({ "inspector": inspector, "place": { "lat": 25.04, "lon": 102.7 }, "fixed": fixed }))
            .collect();
        let body = json!({ "fixes": fixes }).to_string();
        let reply = machine.with(&world.hall, "POST", "/api/v1/positions", Some(body)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let sees =
            |area: &str| scope.admits_area(&[area, "530100"].map(|code| code.parse::<AreaCode>().unwrap()));
        let seen = AREAS.map(sees).into_iter().chain([scope.is_all()]);
        let expected: Vec<String> = seen
            .enumerate()
            .filter(|(_, seen)| !seen)
            .map(|(at, _)| format!("fixes[{at}].inspector out_of_scope"))
            .collect();
        let refused: Vec<String> = reply.json()["refused"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| format!("{} {}", row["field"].as_str().unwrap(), row["code"].as_str().unwrap()))
            .collect();
        assert_eq!(refused, expected, "a machine that sees {name}: {}", reply.text);
        whole += usize::from(expected.is_empty());
    }
    assert_eq!(whole, 1, "who sees everything reports everybody");
    world.hall.running.stop().await.unwrap();
}

/// The open door of phones took a machine's secret for an inspector's code, and showed it to everybody as one.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_comes_not_in_by_the_door_of_phones_though_it_is_open() {
    let hall = served_with(|config| config.ingest.osmand_open = true).await;
    let at = |id: &str| format!("/osmand?id={id}&lat=25.04&lon=102.7");
    let reply = hall.ask("POST", &at(&hall.token), &[], None).await;
    assert_eq!((reply.status, reply.code()), (403, "not_allowed".into()), "{}", reply.text);
    assert_eq!(hall.ask("POST", &at("J0008"), &[], None).await.status, 200);
    let newest = hall.newest().await;
    assert_eq!(newest.len(), 1, "{newest:?}");
    hall.running.stop().await.unwrap();
}
