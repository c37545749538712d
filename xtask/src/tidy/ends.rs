//! What the server answers and a screen reads is one type, in `domain`: two that were alike drift apart.

use super::tree::Tree;
use super::{by_line, check, is_rust};

#[test]
fn no_screen_has_a_shape_of_its_own_for_an_answer() {
    let planted =
        [("app/src/linked.rs", "#[derive(Debug, Deserialize)]\nstruct Row {\n    code: String,\n}\n")];
    check(&Tree::planted(&planted), |tree| {
        by_line(
            tree,
            |path| is_rust(path) && path.starts_with("app/src/"),
            |line| {
                let derives = line.contains("derive(") && line.contains("Deserialize");
                derives.then(|| "an answer's shape is in `domain`, for both ends".to_owned())
            },
        )
    });
}
