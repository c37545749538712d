//! Effects and memos of which the programme holds the machinery once, whatever their closures do: leptos's own constructors
//! write it out anew for each closure, about a kilobyte every time.
//!
//! What should not be here: what depends on what (their callers); those that look at the value before, which are few.

use leptos::prelude::*;

/// Runs now and whenever something that it read has changed.
pub fn effect<T>(mut run: impl FnMut() -> T + 'static) {
    fn erased(mut run: Box<dyn FnMut()>) {
        Effect::new(move |_| run());
    }
    erased(Box::new(move || drop(run())));
}

/// Kept, and computed anew when something that it read has changed; who reads it hears only of another value.
pub fn memo<T: PartialEq + Send + Sync + 'static>(value: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    fn erased<T: PartialEq + Send + Sync + 'static>(value: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T> {
        Memo::new(move |_| value())
    }
    erased(Box::new(value))
}

/// A part of a page that is made anew when something that it read has changed.
pub fn anew<V: IntoAny>(mut part: impl FnMut() -> V + Send + 'static) -> Box<dyn FnMut() -> AnyView + Send> {
    Box::new(move || part().into_any())
}
