//! 监管合一: every screen says while supervision and disposal may be in one hand here, and an account learns that it may use
//! neither because it holds both.
//!
//! What should not be here: who may do what (`domain::role`, the server).

use leptos::prelude::*;

use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{anew, memo};
use crate::session::{Session, use_session};
use crate::words::{say, says};

/// Nothing, where the powers are apart and the account holds one.
#[component]
pub fn Powers() -> impl IntoView {
    let (speaks, names, signed) = (use_language(), use_names(), use_session());
    let why = memo(move || names.with(|names| names.policy.powers_together.clone()));
    let withheld =
        memo(move || matches!(signed.get(), Session::SignedIn(session) if session.powers_withheld));
    let together = move || {
        why.get().map(|why| {
            let words = says!(speaks, common.powers_together);
            let title = move || say!(speaks.get(), common.powers_together_why, why = &why);
            view! { <span class="powers" title=title><Sign mark=Mark::Near/>{words}</span> }
        })
    };
    let refused = move || {
        withheld.get().then(|| {
            let words = says!(speaks, common.powers_withheld);
            view! { <span class="powers withheld" role="status"><Sign mark=Mark::Over/>{words}</span> }
        })
    };
    view! { {together}{anew(refused)} }
}
