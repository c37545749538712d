//! Effects, memos and parts of pages of which the programme holds the machinery once, whatever their closures do: leptos's own
//! constructors write it out anew for each closure, about a kilobyte every time.
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

/// A part of a page that is there while something holds, and is made anew only when that changes.
pub fn shown<V: IntoAny>(
    when: impl Fn() -> bool + Send + Sync + 'static,
    part: impl FnMut() -> V + Send + 'static,
) -> Box<dyn FnMut() -> AnyView + Send> {
    shown_or(when, part, || ())
}

/// The same, with another part in its place otherwise.
pub fn shown_or<V: IntoAny, W: IntoAny>(
    when: impl Fn() -> bool + Send + Sync + 'static,
    part: impl FnMut() -> V + Send + 'static,
    other: impl FnMut() -> W + Send + 'static,
) -> Box<dyn FnMut() -> AnyView + Send> {
    let (when, mut part, mut other) = (memo(when), anew(part), anew(other));
    Box::new(move || if when.get() { part() } else { other() })
}

/// A row before it is made: what tells it from the others, and how it is made.
type Row = ((u64, u64), Box<dyn FnOnce() -> AnyView + Send>);

/// Rows that stay where what they show stays: a row is made when its key appears, moved with it, and taken away with it.
pub fn listed<T: Send + 'static, V: IntoAny>(
    items: impl Fn() -> Vec<T> + Send + Sync + 'static,
    key: fn(&T) -> (u64, u64),
    row: impl Fn(T) -> V + Clone + Send + Sync + 'static,
) -> AnyView {
    fn erased(rows: Box<dyn Fn() -> Vec<Row> + Send + Sync>) -> AnyView {
        view! { <For each=rows key=|row| row.0 children=|row| (row.1)()/> }.into_any()
    }
    erased(Box::new(move || {
        let one = |item: T| {
            let (key, row) = (key(&item), row.clone());
            let made: Box<dyn FnOnce() -> AnyView + Send> = Box::new(move || row(item).into_any());
            (key, made)
        };
        items().into_iter().map(one).collect()
    }))
}

/// Rows as a list of one type, whatever each of them is: leptos's `collect_view` keeps a list of each type, and what makes,
/// moves and takes away its elements is in the programme again for each.
pub trait CollectRows: IntoIterator<Item: IntoAny> + Sized {
    fn collect_rows(self) -> Vec<AnyView> {
        self.into_iter().map(IntoAny::into_any).collect()
    }
}

impl<I: IntoIterator<Item: IntoAny>> CollectRows for I {}
