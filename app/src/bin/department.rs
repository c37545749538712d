//! The programme behind `/department…`: what an answering department loads, on a desktop or a phone.

fn main() {
    app::department();
}
