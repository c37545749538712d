//! A hall with something in every corner, each with a mark by which it is found in an answer; and how each route is asked.

use domain::code::{AreaCode, DepartmentCode};
use domain::place::Point;
use domain::position::Cell;
use domain::role::Role;
use domain::scope::Scope;
use domain::wire::{Kind, Topic};
use serde_json::{Value, json};
use server::access::NewToken;
use server::clock::Clock;
use server::http::routes::Route;
use server::position::Settings;

use super::{AREAS, DEPARTMENTS};
use crate::http::{Served, served_with};

/// Something that lies somewhere and is somebody's business, with the mark by which it is found in an answer.
pub struct Mark {
    pub text: String,
    pub area: Option<&'static str>,
    pub department: Option<&'static str>,
    /// Who can hear of it besides being within its area and department.
    pub hold: Hold,
}

/// What else decides about a mark.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Nothing: a wall shows it, too.
    Open,
    /// Somebody wrote it, or did something: no wall shows it.
    Desk,
    /// Who reported: no wall shows it, and nobody is fed it.
    Reporter,
}

pub struct World {
    pub hall: Served,
    pub marks: Vec<Mark>,
    pub cases: Vec<u64>,
    pub whistles: Vec<u64>,
}

pub fn inspector_in(area: &str) -> String {
    format!("J-{area}")
}

/// A hall with, in each of two areas: for each of two departments a case in disposal and one that is closed, a case that
/// waits for dispatch, a call of each department, an inspector and a camera; and a camera that hangs nowhere.
pub async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("cameras.csv");
    let rows: String = AREAS
        .iter()
        .map(|area| format!("CAM-{area},摄像机 {area},25.04,102.71,{area},rtsp://127.0.0.1:9/{area}\n"))
        .collect();
    std::fs::write(
        &list,
        format!("code,name,lat,lon,area,main\n{rows}CAM-NOWHERE,无处,25.04,102.71,,rtsp://127.0.0.1:9/n\n"),
    )
    .unwrap();
    let hall = served_with(|config| config.cameras.file = Some(list)).await;
    let mark = |text: String, area, department| Mark { text, area, department, hold: Hold::Open };
    let mut world = World { hall, marks: Vec::new(), cases: Vec::new(), whistles: Vec::new() };
    world.marks.push(mark("CAM-NOWHERE".to_owned(), None, None));
    for area in AREAS {
        world.marks.push(mark(format!("CAM-{area}"), Some(area), None));
        world.marks.push(mark(inspector_in(area), Some(area), None));
        world.case(area, None, false).await;
        for department in DEPARTMENTS {
            world.case(area, Some(department), false).await;
            world.case(area, Some(department), true).await;
            let title = format!("哨-{area}-{department}");
            let call = json!({ "level": "street", "area": area, "title": title, "called": [department] });
            let raised = world.send(json!({ "raise_whistle": { "call": call } })).await;
            world.whistles.push(raised["whistle"].as_u64().unwrap());
            world.marks.push(mark(title, Some(area), Some(department)));
        }
        let scope = Scope::area(area.parse().unwrap());
        let new = NewToken { scope, ..NewToken::wide(&inspector_in(area), Role::Inspector) };
        let doer = server::access::Doer { by: "tests", now: Clock::machine().now() };
        let token = world.hall.running.hall.access.make_token_noted(doer, new, false).await.unwrap();
        let fix = json!({ "inspector": inspector_in(area), "place": { "lat": 25.04, "lon": 102.7 },
            "fixed": Clock::machine().now().0 });
        let bearer = format!("Bearer {}", token.expose());
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = json!({ "fixes": [fix] }).to_string();
        let taken = world.hall.ask("POST", "/api/v1/positions", &headers, Some(body)).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
    }
    // The next tick takes the positions over, and views what was closed.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    drop(folder);
    world
}

impl World {
    async fn send(&self, command: Value) -> Value {
        let answer = self.hall.post("/api/v1/commands", &json!({ "command": command })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    async fn case(&mut self, area: &'static str, department: Option<&'static str>, closed: bool) {
        let of =
            format!("{area}-{}-{}", department.unwrap_or("none"), if closed { "closed" } else { "open" });
        let report = json!({ "source": "hotline", "class": "E01-10", "area": area, "address": format!("地址-{of}"),
            "description": format!("描述-{of}"), "reporter": format!("上报人-{of} 13800000000") });
        let case = self.send(json!({ "report_case": { "report": report } })).await["case"].clone();
        let mut steps = vec!["accept_case", "file_case"];
        for step in steps.drain(..) {
            self.send(json!({ step: { "case": case } })).await;
        }
        if let Some(department) = department {
            self.send(json!({ "dispatch_case": { "case": case, "department": department } })).await;
        }
        self.noted(&of, &case).await;
        self.attached(&of, &case).await;
        if closed {
            for step in ["finish_disposal", "give_feedback", "pass_check", "close_case"] {
                self.send(json!({ step: { "case": case } })).await;
            }
        }
        self.cases.push(case.as_u64().unwrap());
        let marks = [
            ("地址", Hold::Open),
            ("描述", Hold::Desk),
            ("备注", Hold::Desk),
            ("附件", Hold::Desk),
            ("经手", Hold::Desk),
            ("上报人", Hold::Reporter),
        ];
        for (what, hold) in marks {
            self.marks.push(Mark { text: format!("{what}-{of}"), area: Some(area), department, hold });
        }
    }

    /// A document whose name says whose it is.
    async fn attached(&self, of: &str, case: &Value) {
        let bearer = format!("Bearer {}", self.hall.token);
        let name = format!("附件-{of}").replace("附件", "%E9%99%84%E4%BB%B6");
        let path = format!("/api/v1/cases/{case}/files?kind=document&name={name}.pdf");
        let pdf = format!("%PDF-1.7\n{of}\n%%EOF\n");
        let sent = self.hall.ask("POST", &path, &[("authorization", &bearer)], Some(pdf)).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
    }

    /// Somebody who has nothing else to do writes a note on a case.
    async fn noted(&self, of: &str, case: &Value) {
        let name = format!("经手-{of}");
        let new = NewToken {
            may: Some([domain::grant::Grant::Dispatch].into()),
            ..NewToken::wide(&name, Role::Machine)
        };
        let doer = server::access::Doer { by: "tests", now: Clock::machine().now() };
        let access = &self.hall.running.hall.access;
        let token = access.make_token_noted(doer, new, false).await.unwrap();
        let bearer = format!("Bearer {}", token.expose());
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let note = json!({ "note_case": { "case": case, "text": format!("备注-{of}") } });
        let body = json!({ "command": note }).to_string();
        let noted = self.hall.ask("POST", "/api/v1/commands", &headers, Some(body)).await;
        assert_eq!(noted.status, 200, "{}", noted.text);
        // Gone before anybody is asked who has a token here.
        access.revoke(doer, &name).await.unwrap();
    }

    /// How a route is asked, in every way that might show something else; with a body for what is posted.
    pub fn samples(&self, route: &Route) -> Vec<(String, Option<String>)> {
        let get = |paths: Vec<String>| paths.into_iter().map(|path| (path, None)).collect();
        let each = |codes: &[String], path: &str, parameter: &str| {
            get(codes.iter().map(|code| path.replace(parameter, code)).collect())
        };
        let numbers = |numbers: &[u64]| numbers.iter().map(u64::to_string).collect::<Vec<_>>();
        let inspectors: Vec<String> = AREAS.iter().map(|area| inspector_in(area)).collect();
        let cameras: Vec<String> =
            AREAS.iter().map(|area| format!("CAM-{area}")).chain(["CAM-NOWHERE".to_owned()]).collect();
        let to = Clock::machine().now().0 + 60_000;
        let post = |body: Value| vec![(route.path.to_owned(), Some(body.to_string()))];
        match (route.method.as_str(), route.path) {
            ("GET", "/api/v1/cases/{id}" | "/api/v1/cases/{id}/suggestions") => {
                each(&numbers(&self.cases), route.path, "{id}")
            }
            ("GET", path) if path.starts_with("/api/v1/cases/{id}/files") => {
                each(&numbers(&self.cases), &path.replace("{hash}", &"ab".repeat(32)), "{id}")
            }
            // What is sent is nothing that is taken, and nothing is said of a case that is not seen.
            ("POST", "/api/v1/cases/{id}/files") => numbers(&self.cases)
                .iter()
                .map(|case| format!("/api/v1/cases/{case}/files?kind=document&name=x"))
                .map(|path| (path, Some("<html>".to_owned())))
                .collect(),
            ("GET", "/api/v1/whistles/{id}") => each(&numbers(&self.whistles), route.path, "{id}"),
            // A snapshot dials, and its camera is not there: asked once each all the same.
            ("GET", path) if path.contains("{code}") => each(&cameras, path, "{code}"),
            ("GET", "/api/v1/positions/{inspector}/track") => {
                each(&inspectors, &format!("{}?from={}&to={to}", route.path, to - 3_600_000), "{inspector}")
            }
            ("GET", "/api/v1/cases") => get(case_lists(route.path)),
            ("GET", "/api/v1/cases.csv" | "/api/v1/cases.xlsx") => {
                get(["", "?open=true&sort=due", "?open=false", "?area=530102", "?department=urban"]
                    .map(|query| format!("{}{query}", route.path))
                    .to_vec())
            }
            ("GET", "/api/v1/overdue") => {
                get(["", "?phase=nearing"].map(|query| format!("{}{query}", route.path)).to_vec())
            }
            ("GET", "/api/v1/events") => {
                let mut paths = vec![format!("{}?limit=500", route.path)];
                paths.extend(AREAS.map(|area| format!("{}?limit=500&area={area}", route.path)));
                paths.extend(self.cases.iter().map(|case| format!("{}?case={case}", route.path)));
                get(paths)
            }
            ("GET", "/api/v1/cameras") => {
                get(vec![route.path.to_owned(), format!("{}?near=25.04,102.71&radius=5000", route.path)])
            }
            ("GET", "/api/v1/live/snapshot") => {
                get(topics().map(|topic| format!("{}?topic={topic}", route.path)).collect())
            }
            ("GET", "/api/v1/map/layers/{index}") => get(vec!["/api/v1/map/layers/0".to_owned()]),
            ("GET", "/tiles/{z}/{x}/{file}") => get(vec!["/tiles/1/0/0.png".to_owned()]),
            ("GET", "/api/docs/{*rest}") => get(vec!["/api/docs/index.html".to_owned()]),
            ("GET", "/wall/{id}") => get(vec!["/wall/main".to_owned()]),
            ("GET", "/replay/{id}") => get(vec!["/replay/replay-00000000".to_owned()]),
            ("GET", path @ ("/department/case/{id}" | "/desk/case/{id}")) => {
                get(vec![path.replace("{id}", "1")])
            }
            ("DELETE", "/api/v1/replays/{id}") => get(vec!["/api/v1/replays/replay-00000000".to_owned()]),
            ("DELETE", "/api/v1/tokens/{name}") => get(vec!["/api/v1/tokens/nobody".to_owned()]),
            // What a command may is asked of the command itself (`roles`).
            ("POST", "/api/v1/commands") => post(json!({ "commands": [{ "command": "pass_deadlines" }] })),
            ("POST", "/api/v1/positions") => post(json!({ "fixes": [] })),
            ("POST", "/api/v1/tokens") => post(json!({ "name": "\u{200B}", "role": "kiosk" })),
            ("POST", "/api/v1/kiosk/approve") => {
                post(json!({ "code": "x", "name": "wall-x", "wall": "main" }))
            }
            ("POST", "/api/v1/kiosk/claim") => post(json!({ "claim": "x" })),
            ("POST", "/api/v1/sign-in") => post(json!({ "name": "nobody", "password": "x" })),
            ("POST", _) => post(json!({})),
            ("GET", path) if !path.contains('{') => get(vec![path.to_owned()]),
            (method, path) => panic!("no sample says how to ask {method} {path}"),
        }
    }

    /// How many cases there are for somebody.
    pub fn cases_of(&self, role: Role, scope: &Scope) -> usize {
        let marks = self.marks.iter().filter(|mark| mark.text.starts_with("地址"));
        marks.filter(|mark| self.may_show(mark, role, scope)).count()
    }

    pub fn may_show(&self, mark: &Mark, role: Role, scope: &Scope) -> bool {
        if role == Role::Kiosk && mark.hold != Hold::Open {
            return false;
        }
        let path: Vec<AreaCode> =
            mark.area.iter().flat_map(|area| [area.parse().unwrap(), "530100".parse().unwrap()]).collect();
        let department: Option<DepartmentCode> = mark.department.map(|code| code.parse().unwrap());
        scope.admits(&path, &department)
    }
}

/// Everything the live feed has, of the reader's own part, of the city and of each area. Their own comes first: whoever
/// asks for too much that is not theirs is let go.
pub fn topics() -> impl Iterator<Item = String> {
    // Where every inspector stands.
    let cell = Cell::of(Point::from_degrees(25.04, 102.7).unwrap(), Settings::default().cell_e6);
    let kinds = Kind::NAMED.into_iter();
    let own = kinds.clone().map(|kind| Topic::own(kind).to_string());
    let all = kinds.clone().map(|kind| Topic::of(kind).to_string());
    let areas = kinds.filter(|kind| kind.has_areas());
    let within = areas.flat_map(|kind| AREAS.map(|area| format!("{}/{area}", kind.name())));
    // First: after some refusals nothing more is answered.
    [Topic::of(Kind::Position(cell)).to_string()].into_iter().chain(own).chain(all).chain(within)
}

/// Every way to ask for a list of cases that might show something else.
fn case_lists(path: &str) -> Vec<String> {
    let queries = [
        "",
        "?open=true&sort=due",
        "?open=false",
        "?text=%E5%9C%B0%E5%9D%80",
        "?count=true",
        "?count=true&limit=1",
    ];
    let plain = queries.map(|query| format!("{path}{query}"));
    let areas = AREAS.map(|area| format!("{path}?area={area}"));
    let departments = DEPARTMENTS.map(|code| format!("{path}?department={code}"));
    plain.into_iter().chain(areas).chain(departments).collect()
}
