//! Symbols: the shape is the code, the colour repeats it. Drawn once, used by reference.

use leptos::prelude::*;

/// A symbol of [`Symbols`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Priority1,
    Priority2,
    Priority3,
    Ordinary,
    Over,
    Near,
    Inside,
    Done,
    Waiting,
    Live,
    Lost,
    Stale,
    Stopped,
    Call1,
    Call2,
    Call3,
}

impl Mark {
    fn href(self) -> &'static str {
        match self {
            Self::Priority1 => "#s-p1",
            Self::Priority2 => "#s-p2",
            Self::Priority3 => "#s-p3",
            Self::Ordinary => "#s-c0",
            Self::Over => "#s-over",
            Self::Near => "#s-near",
            Self::Inside => "#s-in",
            Self::Done => "#s-ok",
            Self::Waiting => "#s-wait",
            Self::Live => "#s-live",
            Self::Lost => "#s-lost",
            Self::Stale => "#s-stale",
            Self::Stopped => "#s-stop",
            Self::Call1 => "#s-w1",
            Self::Call2 => "#s-w2",
            Self::Call3 => "#s-w3",
        }
    }

    pub fn of_priority(priority: domain::case::Priority) -> Self {
        match priority {
            domain::case::Priority::First => Self::Priority1,
            domain::case::Priority::Second => Self::Priority2,
            domain::case::Priority::Third => Self::Priority3,
            domain::case::Priority::Ordinary => Self::Ordinary,
        }
    }

    /// One to three sound arcs: community, street, district.
    pub fn of_level(level: domain::whistle::WhistleLevel) -> Self {
        match level {
            domain::whistle::WhistleLevel::Community => Self::Call1,
            domain::whistle::WhistleLevel::Street => Self::Call2,
            domain::whistle::WhistleLevel::District => Self::Call3,
        }
    }
}

/// One symbol at the size its place gives it; words beside it say the same.
#[component]
pub fn Sign(#[prop(into)] mark: Signal<Mark>) -> impl IntoView {
    view! {
        <svg class="sy" viewBox="0 0 32 32" aria-hidden="true"><use href=move || mark.get().href()/></svg>
    }
}

/// The drawings behind [`Mark`].
#[component]
pub fn Symbols() -> impl IntoView {
    view! { <svg class="defs" aria-hidden="true" inner_html=DRAWINGS></svg> }
}

const DRAWINGS: &str = concat!(
    r#"<symbol id="s-p1" viewBox="0 0 32 32"><path class="k1" d="M16 1.5 31 29.5H1Z"/><text class="kt" x="16" y="27">1</text></symbol>"#,
    r#"<symbol id="s-p2" viewBox="0 0 32 32"><path class="k2" d="M16 .5 31.5 16 16 31.5.5 16Z"/><text class="kt" x="16" y="23">2</text></symbol>"#,
    r#"<symbol id="s-p3" viewBox="0 0 32 32"><path class="ko3" d="M3.5 3.5h25v25h-25Z"/><text class="kt k3" x="16" y="23.5">3</text></symbol>"#,
    r#"<symbol id="s-c0" viewBox="0 0 32 32"><path class="kl" d="M8 8h16v16H8Z"/></symbol>"#,
    r#"<symbol id="s-over" viewBox="0 0 32 32"><path class="k1" d="M16 1.5 31 29.5H1Z"/><path class="kb" d="M14.2 10.5h3.6l-.6 10h-2.4ZM14.2 23h3.6v3.4h-3.6Z"/></symbol>"#,
    r#"<symbol id="s-near" viewBox="0 0 32 32"><circle class="kl3" cx="16" cy="16" r="12"/><path class="k3" d="M16 16V4A12 12 0 1 1 4.6 12.3Z"/></symbol>"#,
    r#"<symbol id="s-in" viewBox="0 0 32 32"><circle class="kl" cx="16" cy="16" r="12"/><path class="kd" d="M16 16V4A12 12 0 0 1 24 25Z"/></symbol>"#,
    r#"<symbol id="s-ok" viewBox="0 0 32 32"><path class="kl4" d="M5 17.5 12.5 25 27 8"/></symbol>"#,
    r#"<symbol id="s-wait" viewBox="0 0 32 32"><circle class="kl" cx="16" cy="16" r="12"/></symbol>"#,
    r#"<symbol id="s-live" viewBox="0 0 32 32"><circle class="kh" cx="16" cy="16" r="9"/></symbol>"#,
    r#"<symbol id="s-lost" viewBox="0 0 32 32"><path class="kx" d="M5.5 5.5 26.5 26.5M26.5 5.5 5.5 26.5"/></symbol>"#,
    r#"<symbol id="s-stale" viewBox="0 0 32 32"><path class="kls" d="M4 4h24v24H4ZM4 16 16 4M4 28 28 4M16 28 28 16"/></symbol>"#,
    r#"<symbol id="s-stop" viewBox="0 0 32 32"><path class="kd" d="M7 4h7v24H7ZM18 4h7v24h-7Z"/></symbol>"#,
    r#"<symbol id="s-w1" viewBox="0 0 32 32"><circle class="kh" cx="7" cy="16" r="4"/><path class="kw" d="M13 10a8.5 8.5 0 0 1 0 12"/></symbol>"#,
    r#"<symbol id="s-w2" viewBox="0 0 32 32"><circle class="kh" cx="7" cy="16" r="4"/><path class="kw" d="M13 10a8.5 8.5 0 0 1 0 12M18 6a14 14 0 0 1 0 20"/></symbol>"#,
    r#"<symbol id="s-w3" viewBox="0 0 32 32"><circle class="kh" cx="7" cy="16" r="4"/><path class="kw" d="M13 10a8.5 8.5 0 0 1 0 12M18 6a14 14 0 0 1 0 20M23 2a20 20 0 0 1 0 28"/></symbol>"#,
);
