//! A hall of another world in the same process: below its own address, with people of the one hall, and apart from it.

use std::sync::Arc;

use domain::moment::UtcMillis;
use domain::role::Role;
use domain::world::WorldKind;
use serde_json::json;
use server::hall::{Forms, Hall, Opening, Rooms};
use server::http::world_router;
use server::world::{Exercise, Identity};
use server::writer::pen::Pen;
use server::writer::store::Store;

use crate::http::{Served, report, served_with};

/// A hall of a drill beside a served one, in a folder of its own, by the same clock; the address it has.
fn beside(served: &Served, dir: &std::path::Path, title: &str) -> String {
    let home = &served.running.hall;
    let mut config = (*home.config).clone();
    config.store.dir = dir.to_owned();
    let (store, state) = Store::open(dir, &home.policy()).unwrap();
    let clock = home.clock.clone();
    let (follow, forms) = (Vec::new(), Forms::default());
    let opening = Opening { config: &config, store, state, clock, follow, beside: Vec::new(), forms };
    let Rooms { writer, reader, lists, mirror, hub, positions, files } =
        Rooms::<Exercise>::open(opening).unwrap();
    let reserved = home.worlds.reserve(WorldKind::Drill, 1).unwrap();
    let identity: Identity = reserved.identity(title);
    let base = identity.base();
    let (identity, config) = (Arc::new(identity), Arc::new(config));
    let pen = Pen::Exercise(writer);
    let over = pen.clone();
    let hall =
        Hall { identity, config, writer: pen, reader, lists, mirror, hub, positions, files, ..home.clone() };
    let _open = reserved.open(title, world_router(&hall), Box::new(move || over.stop()));
    base
}

/// A site of one page each, so that pages are answered.
fn site() -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    for programme in ["wall", "desk", "door"] {
        let page = format!("<!doctype html>\n<html lang=\"zh-CN\" data-programme=\"{programme}\">");
        std::fs::write(site.path().join(format!("{programme}.html")), page).unwrap();
    }
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_in_a_drill_is_there_and_the_city_knows_nothing_of_it() {
    let (site, dir) = (site(), tempfile::tempdir().unwrap());
    let folder = site.path().to_owned();
    let hall = served_with(|config| config.server.site = folder).await;
    let base = beside(&hall, dir.path(), "汛期\"演练");
    let taken = hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    for _ in 0..2 {
        let path = format!("{base}/api/v1/commands");
        let taken = hall.post(&path, &json!({ "command": report("530103") })).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
    }
    let open = async |base: &str| {
        let told = hall.get(&format!("{base}/api/v1/tally?measure=open&dimension=city")).await.json();
        (told["epoch"].clone(), told["cells"]["open|city|now"].clone())
    };
    let ((city, in_city), (drill, in_drill)) = (open("").await, open(&base).await);
    assert_eq!((in_city, in_drill), (json!(1), json!(2)));
    assert_ne!(city, drill, "two stores");
    let events = hall.get("/api/v1/events?limit=500").await.json();
    let reported = events["items"].as_array().unwrap().iter().filter(|line| line["name"] == "case_reported");
    assert_eq!(reported.count(), 1, "the city's log has the city's event: {events}");
    let page = hall.ask("GET", &format!("{base}/wall/main"), &[], None).await.text;
    let told = format!("data-world=\"drill\" data-base=\"{base}\" data-title=\"汛期&quot;演练\"");
    assert!(page.contains(&told), "{page}");
    let home = hall.ask("GET", "/wall/main", &[], None).await.text;
    assert!(home.contains("data-world=\"live\" data-base=\"\""), "{home}");
    let led = hall.ask("GET", &format!("{base}/wall?lang=en"), &[], None).await;
    assert_eq!(led.headers["location"], format!("{base}/wall/main?lang=en"));
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_asks_who_it_is_and_changes_nothing_of_the_city_s() {
    let dir = tempfile::tempdir().unwrap();
    let hall = served_with(|_| {}).await;
    let base = beside(&hall, dir.path(), "");
    let tally = format!("{base}/api/v1/tally");
    assert_eq!(hall.ask("GET", &tally, &[], None).await.status, 401);
    assert_eq!(hall.get(&tally).await.status, 200, "who may come in at home may come in here");
    let kiosk = hall.running.hall.access.make_token("wall", Role::Kiosk, UtcMillis(0)).await.unwrap();
    let kiosk = format!("Bearer {}", kiosk.expose());
    let stays = hall.ask("GET", &tally, &[("authorization", &kiosk)], None).await;
    assert_eq!((stays.status, stays.code().as_str()), (403, "not_allowed"));
    for path in ["/api/v1/cameras/adopt", "/api/v1/policy"] {
        let refused = hall.post(&format!("{base}{path}"), &json!({})).await;
        assert_eq!((refused.status, refused.code().as_str()), (409, "not_in_a_drill"), "{path}");
    }
    for path in ["/api/v1/sign-in", "/osmand", "/api/v1/kiosk/ask"] {
        let status = hall.post(&format!("{base}{path}"), &json!({})).await.status;
        assert!(matches!(status, 404 | 405), "{path}: {status}");
    }
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_that_is_over_says_so_and_never_shows_an_empty_hall() {
    let dir = tempfile::tempdir().unwrap();
    let hall = served_with(|_| {}).await;
    let base = beside(&hall, dir.path(), "");
    assert_eq!(hall.get(&format!("{base}/api/v1/tally")).await.status, 200);
    assert!(hall.running.hall.worlds.close(base.rsplit('/').next().unwrap()));
    for base in [base.as_str(), "/world/drill-00000000", "/world/", "/world/x/y"] {
        let told = hall.get(&format!("{base}/api/v1/tally")).await;
        assert_eq!(told.status, 410, "{base}: {}", told.text);
        assert!(told.text.contains("world_gone") || told.text.contains("已结束"), "{}", told.text);
        let page = hall.ask("GET", &format!("{base}/wall/main"), &[], None).await;
        assert_eq!(page.status, 410, "{base}");
        assert!(page.text.contains("该复盘或演练已结束") && page.text.contains("is over"), "{}", page.text);
    }
    assert_eq!(hall.get("/api/v1/tally").await.status, 200, "the city goes on");
    hall.running.stop().await.unwrap();
}
