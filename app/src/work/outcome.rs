//! How the commands that were sent went, in words that stay until something else is done.

use leptos::prelude::*;

use super::send::Sent;
use super::use_work;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::once::{CollectRows, anew};
use crate::submit::Progress;
use crate::words::{Language, say};

#[component]
pub fn Outcome() -> impl IntoView {
    let (speaks, work) = (use_language(), use_work());
    let line = move |sent: Sent| {
        let language = speaks.get();
        let elsewhere = sent.of.as_ref().filter(|(case, _)| work.file.opened.get() != Some(*case));
        let what = sent.what.words(language);
        let what = elsewhere.map_or(what.clone(), |(_, number)| format!("{number} {what}"));
        let (class, mark, words, again) = words(language, what, &sent.progress)?;
        let again = again.then(|| view! { <button type="button" class="btn" on:click=move |_| work.sending.resend()>{say!(language, desk.resend)}<kbd>"R"</kbd></button> });
        Some(view! { <p class=class><Sign mark/><span>{words}</span>{again}</p> })
    };
    let lines = move || work.sending.sent.get().into_iter().filter_map(line).collect_rows();
    view! { <div class="outcome" role="status">{anew(lines)}</div> }
}

fn words(
    language: Language,
    what: String,
    progress: &Progress,
) -> Option<(&'static str, Mark, String, bool)> {
    Some(match progress {
        Progress::Idle => return None,
        Progress::Busy => ("pending", Mark::Waiting, say!(language, desk.sending, what = what), false),
        Progress::Done => ("done", Mark::Done, say!(language, desk.done, what = what), false),
        Progress::Refused(error) => {
            let words = error.words(language);
            ("refused", Mark::Over, say!(language, desk.refused, what = what, words = words), false)
        }
        Progress::Unsure(_) => ("unsure", Mark::Lost, say!(language, desk.unsure, what = what), true),
    })
}
