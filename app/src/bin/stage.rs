//! The programme behind `/replay…`: choosing a part of the past, and driving it.

fn main() {
    app::stage();
}
