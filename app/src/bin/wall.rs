//! The programme behind `/wall/…`: what a wall loads, and nothing of the desk.

fn main() {
    app::wall();
}
