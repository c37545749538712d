//! What the server answers and a screen reads is one type, in `domain`: two that were alike drift apart.

use super::tree::Tree;
use super::{by_line, check, is_rust};

/// Files of the screens that read something else than answers, and what.
const READERS: &[(&str, &str)] = &[("app/src/player/state.rs", "what the player's script says of a tile")];

#[test]
fn no_screen_has_a_shape_of_its_own_for_an_answer() {
    let planted =
        [("app/src/linked.rs", "#[derive(Debug, Deserialize)]\nstruct Row {\n    code: String,\n}\n")];
    check(&Tree::planted(&planted), |tree| {
        let is_excepted = |path: &str| READERS.iter().any(|(file, _)| *file == path);
        by_line(
            tree,
            |path| is_rust(path) && path.starts_with("app/src/") && !is_excepted(path),
            |line| {
                let derives = line.contains("derive(") && line.contains("Deserialize");
                derives.then(|| "an answer's shape is in `domain`, for both ends".to_owned())
            },
        )
    });
}

#[test]
fn every_reader_that_is_excepted_exists() {
    let tree = Tree::of_repository();
    assert!(READERS.iter().all(|(path, reason)| tree.has(path) && reason.len() > 20));
}
