//! Who uses this screen. Pages ask once; writes carry the session's token.

use domain::answer::SessionAnswer;
use domain::role::Role;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::api;
use crate::once::effect;

/// Whether someone has signed in.
#[derive(Clone, PartialEq)]
pub enum Session {
    Asking,
    SignedOut,
    SignedIn(SessionAnswer),
}

pub type Signed = RwSignal<Session>;

pub fn provide() {
    let signed: Signed = RwSignal::new(Session::Asking);
    provide_context(signed);
    refresh(signed);
}

pub fn use_session() -> Signed {
    expect_context::<Signed>()
}

/// The session's token for writes; none where nobody is signed in.
pub fn csrf(signed: Signed) -> Option<String> {
    signed.with_untracked(|signed| match signed {
        Session::SignedIn(session) => Some(session.csrf.clone()),
        Session::Asking | Session::SignedOut => None,
    })
}

/// Asks the server anew. When it cannot be reached nothing is known and nothing changes.
pub fn refresh(signed: Signed) {
    spawn_local(async move {
        match api::get_json::<SessionAnswer>("/api/v1/session").await {
            Ok(session) => {
                if !is_kiosk(&session) {
                    // A person has signed in where a wall stood.
                    crate::kiosk::forget_wall();
                }
                change(signed, Session::SignedIn(session));
            }
            Err(error) if error.is_signed_out() => change(signed, Session::SignedOut),
            Err(_) => {}
        }
    });
}

fn change(signed: Signed, to: Session) {
    if signed.try_with_untracked(|held| *held != to) == Some(true) {
        signed.set(to);
    }
}

/// Whether this is a wall's own session and no person's.
pub fn is_kiosk(session: &SessionAnswer) -> bool {
    session.roles == [Role::Kiosk]
}

/// Sends a page that needs a session to the sign-in page, which comes back to it.
pub fn require(signed: Signed) {
    effect(move || {
        if signed.get() == Session::SignedOut {
            crate::page::go_to_sign_in();
        }
    });
}
