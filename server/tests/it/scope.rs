//! Who sees what: every role, with every kind of scope, at every route of the running server.
//!
//! The routes come from the router's own table (`http::routes`), so that a new one is asked for here at once: one that
//! stands in neither table below, or that has no sample of how it is asked, fails. Whatever is answered is searched for
//! marks of cases, calls, people and cameras that lie beyond the scope.

use std::collections::BTreeSet;

use domain::code::{AreaCode, DepartmentCode};
use domain::role::Role;
use domain::scope::Scope;
use server::access::NewToken;
use server::clock::Clock;
use server::http::routes::{Reach, Route, Sees};

use crate::http::{Reply, Served};
use crate::roles::Sender;

mod heard;
mod located;
mod planted;
mod world;

use world::{World, world};

const AREAS: [&str; 2] = ["530102", "530103"];
const DEPARTMENTS: [&str; 2] = ["urban", "sanitation"];

/// Columns: admin, supervisor, dispatcher, department, viewer, kiosk, inspector, machine. `+` may, `.` may not; `s` sees what
/// lies in its scope; `a` only who sees all. Strangers may use what has `*`.
const TABLE: &str = "
DELETE /api/v1/replays/{id}                  + + + + + . . .
DELETE /api/v1/tokens/{name}                 s . . . . . . .
GET /                                        *
GET /api/docs                                + + + + + . . +
GET /api/docs/                               + + + + + . . +
GET /api/docs/{*rest}                        + + + + + . . +
GET /api/openapi.json                        + + + + + . . +
GET /api/v1/cameras                          s s s s s s . s
GET /api/v1/cameras/{code}                   s s s s s s . s
GET /api/v1/cameras/{code}/health            s s s s s s . s
GET /api/v1/cameras/{code}/snapshot.jpg      s s s s s s . s
GET /api/v1/cases                            s s s s s s . s
GET /api/v1/cases.csv                        s s s s s . . s
GET /api/v1/cases.xlsx                       s s s s s . . s
GET /api/v1/cases/{id}                       s s s s s s . s
GET /api/v1/cases/{id}/files                 s s s s s . . s
GET /api/v1/cases/{id}/files/{hash}          s s s s s . . s
GET /api/v1/cases/{id}/files/{hash}/thumbnail s s s s s . . s
GET /api/v1/cases/{id}/suggestions           s s s s s . . s
GET /api/v1/catalogue                        + + + + + + . +
GET /api/v1/definitions                      + + + + + + . +
GET /api/v1/drills                           + + + + + . . +
GET /api/v1/events                           s s s s s . . s
GET /api/v1/import/namespace                 + . . . . . . +
GET /api/v1/live/snapshot                    s s s s s s . s
GET /api/v1/map                              + + + + + + . +
GET /api/v1/map/layers/{index}               + + + + + + . +
GET /api/v1/overdue                          s s s s s s . s
GET /api/v1/policy                           a . . . . . . a
GET /api/v1/positions                        s s s s s s . s
GET /api/v1/positions/{inspector}/track      . s s . . . . .
GET /api/v1/replays                          + + + + + . . .
GET /api/v1/session                          + + + + + + . +
GET /api/v1/tally                            s s s s s s . s
GET /api/v1/tokens                           s . . . . . . .
GET /api/v1/video                            s s s s s s . s
GET /api/v1/walls                            + + + + + + . +
GET /api/v1/whistles                         s s s s s s . s
GET /api/v1/whistles/{id}                    s s s s s s . s
GET /api/v1/world                            + + + + + + . +
GET /department                              *
GET /department/case/{id}                    *
GET /desk                                    *
GET /desk/case/{id}                          *
GET /drill                                   *
GET /healthz                                 *
GET /kiosks                                  *
GET /live                                    s s s s s s . s
GET /metrics                                 a a a a a . . a
GET /metrics/cameras                         a a a a a . . a
GET /osmand                                  *
GET /pair                                    *
GET /readyz                                  *
GET /replay                                  *
GET /replay/{id}                             *
GET /sign-in                                 *
GET /tiles/archive.pmtiles                   + + + + + + . +
GET /tiles/{z}/{x}/{file}                    + + + + + + . +
GET /wall                                    *
GET /wall/                                   *
GET /wall/{id}                               *
POST /api/v1/cameras/adopt                   a . . . . . . a
POST /api/v1/cases/{id}/files                . + + + . . . +
POST /api/v1/clock/believe                   a . . . . . . .
POST /api/v1/commands                        + + + + + . . +
POST /api/v1/drills                          a a a . . . . .
POST /api/v1/drills/{id}/enter               + + + . . . . .
POST /api/v1/drills/{id}/stop                + + + . . . . .
POST /api/v1/kiosk/approve                   + . + . . . . .
POST /api/v1/kiosk/ask                       *
POST /api/v1/kiosk/claim                     *
POST /api/v1/policy                          a . . . . . . a
POST /api/v1/positions                       . . . . . . + +
POST /api/v1/replays                         + + + + + . . .
POST /api/v1/screens/stopped                 + + + + + + . +
POST /api/v1/sign-in                         *
POST /api/v1/sign-out                        + + + + + . . +
POST /api/v1/tokens                          + . . . . . . .
POST /api/v1/world/clock                     + + + + + . . +
POST /osmand                                 *
";

/// The row of a route as the table above writes it.
fn row(route: &Route) -> String {
    let name = format!("{} {}", route.method, route.path);
    let Reach::Of(roles) = route.reach else { return format!("{name:<44} *") };
    let cell = |role: Role| match (roles.contains(&role), route.sees) {
        (false, _) => ".",
        (true, Sees::Nothing) => "+",
        (true, Sees::Scoped) => "s",
        (true, Sees::Whole) => "a",
    };
    let cells: Vec<&str> = Role::ALL.into_iter().map(cell).collect();
    format!("{name:<44} {}", cells.join(" "))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_declares_who_may_use_it_and_what_it_shows() {
    let hall = world().await.hall;
    let (_, table) = server::http::routes(&hall.running.hall);
    let mut rows: Vec<String> = table.iter().map(row).collect();
    rows.sort();
    assert_eq!(format!("\n{}\n", rows.join("\n")), TABLE, "\n{}\n", rows.join("\n"));
    hall.running.stop().await.unwrap();
}

fn scopes() -> Vec<(&'static str, Scope)> {
    let areas =
        |codes: &[&str]| codes.iter().map(|code| code.parse().unwrap()).collect::<BTreeSet<AreaCode>>();
    let of =
        |codes: &[&str]| codes.iter().map(|code| code.parse().unwrap()).collect::<BTreeSet<DepartmentCode>>();
    vec![
        ("all", Scope::All),
        ("area", Scope::of(areas(&["530102"]), of(&[])).unwrap()),
        ("department", Scope::of(areas(&[]), of(&["sanitation"])).unwrap()),
        ("both", Scope::of(areas(&["530103"]), of(&["urban"])).unwrap()),
    ]
}

/// Somebody with this role and scope.
async fn sender(hall: &Served, role: Role, name: &str, scope: &Scope) -> Sender {
    let name = format!("{role:?}-{name}");
    let department = (role == Role::Department).then_some("urban");
    match role {
        Role::Kiosk | Role::Inspector | Role::Machine => {
            let may = (role == Role::Machine).then(|| domain::grant::Grant::ALL.into());
            // Both powers in one hand are for old tokens; this one has them to be asked at every route.
            let new = NewToken { scope: scope.clone(), may, ..NewToken::wide(&name, role) };
            let access = &hall.running.hall.access;
            access.set_powers_together(true);
            let doer = server::access::Doer { by: "tests", now: Clock::machine().now() };
            let secret = access.make_token_noted(doer, new, false).await.unwrap();
            access.set_powers_together(false);
            Sender(vec![("authorization".into(), format!("Bearer {}", secret.expose()))])
        }
        Role::Admin | Role::Supervisor | Role::Dispatcher | Role::Department | Role::Viewer => {
            Sender::account(hall, &name, &[role], department, Some(scope.clone())).await
        }
    }
}

/// What an answer shows that it must not, and a status that does not fit.
fn faults(
    world: &World,
    route: &Route,
    role: Role,
    scope: &Scope,
    asked: &str,
    reply: &Reply,
) -> Vec<String> {
    let Reach::Of(roles) = route.reach else { return Vec::new() };
    let closed = !roles.contains(&role) || (route.sees == Sees::Whole && !scope.is_all());
    let mut faults = Vec::new();
    // A route that is open may still refuse the thing itself, as beyond the scope.
    let refused = reply.status == 403 && reply.code() != "out_of_scope";
    if closed && reply.status != 403 || !closed && (refused || reply.status == 401) {
        faults.push(format!("{} {asked}: {} {}", route.method, reply.status, reply.text));
    }
    // A sample that asks nothing finds nothing.
    if reply.status == 400 && route.method.as_str() == "GET" {
        faults.push(format!("{} {asked} is asked in a way nobody may: {}", route.method, reply.text));
    }
    if reply.status == 200 && asked.contains("count=true") {
        let (total, of_it) = (reply.json()["total"].as_u64(), world.cases_of(role, scope));
        if total != Some(of_it as u64) {
            faults.push(format!("{} {asked} counts {total:?} of {of_it}", route.method));
        }
    }
    for mark in world.marks.iter().filter(|mark| !world.may_show(mark, role, scope)) {
        // Whoever asks for something by its name is told the name.
        if reply.text.contains(&mark.text) && !asked.contains(&mark.text) {
            faults.push(format!("{} {asked} shows {}", route.method, mark.text));
        }
    }
    faults
}

/// Method: 8 roles × 4 scopes × every route, each asked in every way its samples know; answers are searched for the marks of
/// whatever lies beyond the scope. That the marks are really there to be found is held by the scope of everything.
#[tokio::test(flavor = "multi_thread")]
async fn every_role_with_every_scope_sees_at_every_route_what_is_its_own() {
    let world = world().await;
    let (_, table) = server::http::routes(&world.hall.running.hall);
    let (mut wrong, mut asked_for) = (Vec::new(), 0);
    let mut shown_to_all = BTreeSet::new();
    for role in Role::ALL {
        for (name, scope) in scopes() {
            let sender = sender(&world.hall, role, name, &scope).await;
            // Signing out is asked last: it ends the session.
            let (last, first): (Vec<&Route>, Vec<&Route>) =
                table.iter().partition(|route| route.path == "/api/v1/sign-out");
            for route in first.into_iter().chain(last) {
                if matches!(route.path, "/live" | "/api/v1/video" | "/osmand")
                    || route.path.ends_with("snapshot.jpg") && scope.is_all()
                {
                    continue;
                }
                for (path, body) in world.samples(route) {
                    let reply = sender.with(&world.hall, route.method.as_str(), &path, body).await;
                    asked_for += 1;
                    let who = format!("{role:?} who sees {name}");
                    wrong.extend(
                        faults(&world, route, role, &scope, &path, &reply)
                            .into_iter()
                            .map(|fault| format!("{who}: {fault}")),
                    );
                    if scope.is_all() {
                        shown_to_all.extend(
                            world
                                .marks
                                .iter()
                                .filter(|mark| reply.text.contains(&mark.text))
                                .map(|mark| mark.text.clone()),
                        );
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked_for}:\n{}", wrong.len(), wrong.join("\n"));
    let hidden: Vec<&String> =
        world.marks.iter().map(|mark| &mark.text).filter(|text| !shown_to_all.contains(*text)).collect();
    assert!(hidden.is_empty(), "nobody was shown these, so their absence says nothing: {hidden:?}");
    world.hall.running.stop().await.unwrap();
}
