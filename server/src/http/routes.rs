//! Routes with what each declares: who may come in, and what becomes of what they may see.
//!
//! A router is made through [`Routes`] alone, which takes no route without its declaration; the table that comes of it is
//! what the door asks (`door`), and what the tests walk through. What should not be here: which routes there are
//! (`http`), how somebody is proved (`door`, `access`).

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method};
use axum::routing::{MethodFilter, on};
use domain::grant::Grant;
use domain::role::Role;
use domain::world::WorldKind;

use super::Hall;
use crate::access::Actor;

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Strangers as well.
    Anyone,
    /// Whoever is proved and has one of these roles.
    Of(&'static [Role]),
}

/// What becomes of the scope of whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sees {
    /// Nothing of cases, calls, people and cameras is told: there is nothing to limit.
    Nothing,
    /// Rows within the scope, and no others.
    Scoped,
    /// What cannot be told apart by area: only for who sees everything.
    Whole,
}

/// People, and systems on their behalf.
pub const STAFF: &[Role] =
    &[Role::Admin, Role::Supervisor, Role::Dispatcher, Role::Department, Role::Viewer, Role::Machine];
/// Those who sign in themselves.
pub const PEOPLE: &[Role] =
    &[Role::Admin, Role::Supervisor, Role::Dispatcher, Role::Department, Role::Viewer];
/// Those and the walls.
pub const SCREENS: &[Role] = &[
    Role::Admin,
    Role::Supervisor,
    Role::Dispatcher,
    Role::Department,
    Role::Viewer,
    Role::Machine,
    Role::Kiosk,
];
/// 系统管理员
pub const ADMIN: &[Role] = &[Role::Admin];
/// Who lets a wall in.
pub const PAIRING: &[Role] = &[Role::Admin, Role::Dispatcher];
/// Who may look where somebody was: who sends people, and who judges what they did.
pub const TRACKS: &[Role] = &[Role::Supervisor, Role::Dispatcher];
/// Who prepares drills, and leads those they prepared: who judges and who sends in the city, and the administrator.
pub const DIRECTING: &[Role] = &[Role::Admin, Role::Supervisor, Role::Dispatcher];
/// Who takes lists in, of cameras or of cases.
pub const ADOPTING: &[Role] = &[Role::Admin, Role::Machine];
/// Who attaches files to cases: whoever writes notes. What else is asked, the command is asked.
pub const ATTACHING: &[Role] = &[Role::Supervisor, Role::Dispatcher, Role::Department, Role::Machine];
/// Who says where inspectors are.
pub const LOCATING: &[Role] = &[Role::Machine, Role::Inspector];

/// Every world there is.
pub const EVERYWHERE: &[WorldKind] =
    &[WorldKind::Live, WorldKind::Demonstration, WorldKind::Replay, WorldKind::Drill];
/// The process's own hall, whichever it is.
const HOME: &[WorldKind] = &[WorldKind::Live, WorldKind::Demonstration];
/// Halls in which something happens now: not the past.
pub const WRITTEN: &[WorldKind] = &[WorldKind::Live, WorldKind::Demonstration, WorldKind::Drill];

/// One route with its declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    /// With its parameters in braces.
    pub path: &'static str,
    pub reach: Reach,
    pub sees: Sees,
    /// What a machine's token must be granted for it.
    pub grant: Option<Grant>,
    /// In which worlds it is there to be used. What changes something changes the process's own hall alone, unless it says so.
    pub acts_in: &'static [WorldKind],
}

impl Route {
    /// A route that reads.
    #[must_use]
    pub const fn get(path: &'static str, reach: Reach, sees: Sees) -> Self {
        let grant = match sees {
            Sees::Nothing => None,
            Sees::Scoped | Sees::Whole => Some(Grant::Read),
        };
        Self { method: Method::GET, path, reach, sees, grant, acts_in: EVERYWHERE }
    }

    /// A route that changes something. What a command may is asked of the command itself.
    #[must_use]
    pub const fn post(path: &'static str, reach: Reach) -> Self {
        Self { method: Method::POST, path, reach, sees: Sees::Nothing, grant: None, acts_in: HOME }
    }

    #[must_use]
    pub const fn delete(path: &'static str, reach: Reach) -> Self {
        Self { method: Method::DELETE, path, reach, sees: Sees::Nothing, grant: None, acts_in: HOME }
    }

    /// Also a machine needs this for it.
    #[must_use]
    pub fn granted(self, grant: Grant) -> Self {
        Self { grant: Some(grant), ..self }
    }

    /// In these worlds, and no others.
    #[must_use]
    pub fn acting_in(self, worlds: &'static [WorldKind]) -> Self {
        Self { acts_in: worlds, ..self }
    }

    /// An act that concerns a part of the city, or the whole of it.
    #[must_use]
    pub fn seeing(self, sees: Sees) -> Self {
        Self { sees, ..self }
    }

    /// Why the actor may not use it; none when they may.
    #[must_use]
    pub fn refuses(&self, actor: &Actor) -> Option<Refusal> {
        let reached = match self.reach {
            Reach::Anyone => true,
            Reach::Of(roles) => actor.roles.iter().any(|role| roles.contains(role)),
        };
        if !reached || self.grant.is_some_and(|grant| !actor.is_granted(grant)) {
            return Some(Refusal::NotAllowed);
        }
        (self.sees == Sees::Whole && !actor.scope.is_all()).then_some(Refusal::OutOfScope)
    }
}

/// Why a route is closed to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NotAllowed,
    /// It tells of everything, and they may see a part.
    OutOfScope,
}

/// All routes of a server with what they declare.
#[derive(Debug, Clone, Default)]
pub struct Table(BTreeMap<&'static str, Vec<Route>>);

/// What the table says of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    Declared(&'a Route),
    /// The address takes these methods.
    OtherMethod(HeaderValue),
    /// No route of ours: nobody may use what declares nothing.
    Undeclared,
}

impl Table {
    fn add(&mut self, route: Route) {
        self.0.entry(route.path).or_default().push(route);
    }

    /// The route of a path as it was registered; a `HEAD` is a `GET` without a body.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Some(routes) = self.0.get(path) else { return Found::Undeclared };
        let method = if method == Method::HEAD { &Method::GET } else { method };
        if let Some(route) = routes.iter().find(|route| route.method == *method) {
            return Found::Declared(route);
        }
        let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        // Names of methods are letters.
        Found::OtherMethod(methods.join(",").parse().unwrap_or(HeaderValue::from_static("")))
    }

    /// Both tables as one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        other.0.into_values().flatten().for_each(|route| self.add(route));
        self
    }

    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.values().flatten()
    }
}

/// Routes under way to a router.
pub struct Routes {
    router: Router<Hall>,
    /// Of parts with a state of their own.
    parts: Vec<Router>,
    table: Table,
}

impl Default for Routes {
    fn default() -> Self {
        Self { router: Router::new(), parts: Vec::new(), table: Table::default() }
    }
}

impl Routes {
    /// Takes a route: no handler comes in without a declaration.
    #[must_use]
    pub fn with<H, T>(mut self, route: Route, handler: H) -> Self
    where
        H: Handler<T, Hall>,
        T: 'static,
    {
        let filter = match route.method {
            Method::POST => MethodFilter::POST,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        self.router = self.router.route(route.path, on(filter, handler));
        self.table.add(route);
        self
    }

    /// The router of another part, whose routes are declared beside it. What it has beyond these is closed by the door.
    #[must_use]
    pub fn and(mut self, declared: impl IntoIterator<Item = Route>, router: Router) -> Self {
        self.parts.push(router);
        declared.into_iter().for_each(|route| self.table.add(route));
        self
    }

    pub fn finish(self, hall: &Hall) -> (Router, Table) {
        let router = self.router.with_state(hall.clone());
        (self.parts.into_iter().fold(router, Router::merge), self.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Proof;
    use domain::scope::Scope;

    fn actor(role: Role) -> Actor {
        Actor {
            name: "somebody".to_owned(),
            roles: vec![role],
            department: None,
            scope: Scope::All,
            may: None,
            powers_withheld: false,
            by: Proof::Token,
        }
    }

    #[test]
    fn what_declares_nothing_is_closed() {
        let mut table = Table::default();
        table.add(Route::get("/a/{id}", Reach::Of(STAFF), Sees::Scoped));
        assert!(matches!(table.find(&Method::GET, "/a/{id}"), Found::Declared(_)));
        assert!(matches!(table.find(&Method::HEAD, "/a/{id}"), Found::Declared(_)));
        assert_eq!(
            table.find(&Method::DELETE, "/a/{id}"),
            Found::OtherMethod(HeaderValue::from_static("GET,HEAD"))
        );
        assert_eq!(table.find(&Method::GET, "/b"), Found::Undeclared);
    }

    #[test]
    fn a_route_asks_for_role_grant_and_scope() {
        let whole = Route::get("/whole", Reach::Of(STAFF), Sees::Whole);
        assert_eq!(whole.refuses(&actor(Role::Viewer)), None);
        assert_eq!(whole.refuses(&actor(Role::Kiosk)), Some(Refusal::NotAllowed));
        let street = Actor { scope: Scope::area("530102".parse().unwrap()), ..actor(Role::Viewer) };
        assert_eq!(whole.refuses(&street), Some(Refusal::OutOfScope));
        let machine = Actor { may: Some([Grant::Locate].into()), ..actor(Role::Machine) };
        assert_eq!(whole.refuses(&machine), Some(Refusal::NotAllowed), "it was not granted to read");
        let locate = Route::post("/here", Reach::Of(LOCATING)).granted(Grant::Locate);
        assert_eq!(locate.refuses(&machine), None);
        let reporter = Actor { may: Some([Grant::Report].into()), ..actor(Role::Machine) };
        assert_eq!(locate.refuses(&reporter), Some(Refusal::NotAllowed));
    }
}
