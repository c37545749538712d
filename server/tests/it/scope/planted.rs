//! That the matrix finds what it is for: routes that somebody adds and forgets something of.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use domain::role::Role;
use domain::scope::Scope;
use server::http::routes::{Reach, Route, STAFF, Sees};
use tower::ServiceExt;

use super::world::{World, world};
use super::{TABLE, faults, row, sender};
use crate::http::Reply;

const PLANTED: &str = "/api/v1/planted";

/// A route that tells of a case to whoever comes in.
fn leaky() -> Router {
    Router::new().route(PLANTED, get(|| async { "地址-530103-none-open" }))
}

/// What the planted route answers to a viewer who sees one area.
async fn answered(world: &World, declared: Vec<Route>) -> (Scope, Reply) {
    let scope = Scope::area("530102".parse().unwrap());
    let viewer = sender(&world.hall, Role::Viewer, "street", &scope).await;
    let (router, _) = server::http::routes_beside(&world.hall.running.hall, declared, leaky());
    let mut request = Request::get(PLANTED);
    for (name, value) in &viewer.0 {
        request = request.header(name, value);
    }
    let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let text = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    (scope, Reply { status: parts.status.as_u16(), headers: ureq::http::HeaderMap::new(), text })
}

/// Method: the route is planted beside the others, once without a declaration, once with one that says it tells of
/// nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_forgets_its_scope_is_closed_and_one_that_lies_about_it_is_found() {
    let world = world().await;
    let (_, reply) = answered(&world, Vec::new()).await;
    assert_eq!((reply.status, reply.text.contains("地址")), (403, false), "{}", reply.text);
    for sees in [Sees::Nothing, Sees::Scoped] {
        let planted = Route::get(PLANTED, Reach::Of(STAFF), sees);
        assert!(!TABLE.contains(&row(&planted)), "a new route stands in no table");
        let no_sample =
            std::panic::AssertUnwindSafe(|| world.samples(&Route::get("/{new}", planted.reach, sees)));
        assert!(std::panic::catch_unwind(no_sample).is_err(), "nobody says how it is asked");
        let (scope, reply) = answered(&world, vec![planted.clone()]).await;
        let found = faults(&world, &planted, Role::Viewer, &scope, PLANTED, &reply);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("shows 地址-530103-none-open"), "{found:?}");
    }
    // What cannot be told apart by area is closed to who sees a part.
    let whole = Route::get(PLANTED, Reach::Of(STAFF), Sees::Whole);
    assert_eq!(answered(&world, vec![whole]).await.1.status, 403);
    world.hall.running.stop().await.unwrap();
}
