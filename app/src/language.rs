//! Which language the screens speak: Chinese unless someone chose otherwise. The choice stays on this screen, and
//! `?lang=en` in the address fixes it for a kiosk.

use domain::catalogue::Name;
use leptos::prelude::*;

use crate::kept;
use crate::once::effect;
use crate::words::Language;

const KEY: &str = "gridhall.language";

/// The language of this screen.
#[derive(Clone, Copy)]
pub struct Speaks(RwSignal<Language>);

impl Speaks {
    /// Tracked: views that call this are written anew when the language changes.
    pub fn get(self) -> Language {
        self.0.get()
    }

    pub fn set(self, language: Language) {
        self.0.set(language);
        kept::keep(KEY, Some(tag(language)));
    }

    /// A word that follows the language.
    pub fn says(self, word: fn(Language) -> String) -> impl Fn() -> String + Copy + Send + Sync + 'static {
        move || word(self.get())
    }

    /// A name of the catalogue in this language.
    pub fn name(self, name: &Name) -> String {
        pick(self.get(), name)
    }
}

/// A name in one language; English falls back to Chinese where a city gives none.
pub fn pick(language: Language, name: &Name) -> String {
    match language {
        Language::En if !name.en.is_empty() => name.en.clone(),
        Language::En | Language::Zh => name.zh.clone(),
    }
}

pub fn tag(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh-CN",
        Language::En => "en",
    }
}

pub fn provide() {
    let language = RwSignal::new(first_choice());
    effect(move || {
        if let Some(root) = document().document_element() {
            // Han unification picks the right glyphs by this.
            let _ = root.set_attribute("lang", tag(language.get()));
        }
    });
    provide_context(Speaks(language));
}

pub fn use_language() -> Speaks {
    expect_context::<Speaks>()
}

fn first_choice() -> Language {
    let asked = crate::page::query("lang");
    match asked.or_else(|| kept::read(KEY)).as_deref() {
        Some("en") => Language::En,
        _ => Language::Zh,
    }
}
