//! The programme of the ways in: start, sign-in, pairing of walls.

fn main() {
    app::door();
}
