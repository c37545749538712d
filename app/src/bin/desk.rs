//! The programme behind `/desk…`: what a dispatcher loads, and nothing of the wall.

fn main() {
    app::desk();
}
