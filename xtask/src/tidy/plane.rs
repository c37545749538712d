//! Screens measure on the plane: sines in general bring kilobytes of tables into what a screen loads first.

use super::tree::Tree;
use super::{by_line, check, is_rust};

#[test]
fn screens_measure_on_the_plane() {
    let plant = ("app/src/people/card.rs", "        let metres = place.distance_m(spot);");
    check(&Tree::planted(&[plant]), |tree| {
        by_line(
            tree,
            |path| is_rust(path) && path.starts_with("app/src/"),
            |line| {
                let needles = [".distance_m(", ".bearing_deg("];
                let found = needles.iter().find(|needle| line.contains(**needle))?;
                Some(format!("`{found}` needs sines; `near_distance_m` does not"))
            },
        )
    });
}
