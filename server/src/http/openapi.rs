//! The API described for programs (`/api/openapi.json`), and a viewer that loads nothing from outside (`/api/docs`).

use axum::Router;
use utoipa::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

mod answers;
mod steps;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Gridhall",
        description = "Command hall of a grid-management centre: commands, cases, tallies, whistle calls, positions, cameras. \
            Errors are application/problem+json. Browsers use the session cookie and X-CSRF-Token, machines a bearer token. \
            The live feed is described in docs/live-protocol.md, video in docs/video-protocol.md.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        super::session::sign_in,
        super::session::session,
        super::session::sign_out,
        super::session::tokens,
        super::session::make_token,
        super::session::revoke,
        super::session::kiosk_ask,
        super::session::kiosk_approve,
        super::session::kiosk_claim,
        super::commands::post,
        super::cases::list,
        super::cases::one,
        super::files::sending::attach,
        super::files::list,
        super::files::one,
        super::files::small,
        super::suggestions::of_case,
        super::export::csv,
        super::export::xlsx,
        super::events::list,
        super::imports::namespace,
        super::hall::catalogue,
        super::hall::definitions,
        super::policy::show,
        super::policy::adopt,
        super::screens::stopped,
        super::hall::tally,
        super::hall::overdue,
        super::hall::whistles,
        super::hall::whistle,
        super::fixes::newest,
        super::fixes::post,
        super::fixes::track,
        super::osmand::get,
        super::osmand::post,
        super::map::settings,
        super::walls::list,
        super::world::show,
        super::world::set_clock,
        super::health::believe_clock,
        super::drills::list,
        super::drills::prepare,
        super::drills::stop,
        super::drills::enter,
        super::map::layer,
        super::map::tile,
        super::map::archive,
        super::replays::open,
        super::replays::list,
        super::replays::close,
    ),
    modifiers(&Doors)
)]
struct Description;

struct Doors;

impl utoipa::Modify for Doors {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(super::door::COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        api.security = Some(
            ["token", "session"]
                .map(|name| utoipa::openapi::SecurityRequirement::new(name, Vec::<String>::new()))
                .to_vec(),
        );
    }
}

fn whole() -> utoipa::openapi::OpenApi {
    let mut api = Description::openapi();
    api.merge(crate::live::Description::openapi());
    api.merge(crate::video::Description::openapi());
    answers::complete(&mut api);
    steps::complete(&mut api);
    api
}

/// The description as pretty JSON.
pub fn description() -> String {
    whole().to_pretty_json().unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// Description and viewer.
pub fn viewer() -> Router {
    SwaggerUi::new("/api/docs").url("/api/openapi.json", whole()).into()
}
