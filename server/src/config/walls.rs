//! The walls of a hall and its own scenes, as a file in TOML.
//!
//! What should not be here: which scenes hold (`domain::scene`), and how walls are told of them (`http::walls`).

use std::path::PathBuf;

use anyhow::Context;
use domain::scene::{Scene, Wall, Walls};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct WallsFile {
    /// The walls and scenes in TOML; without it there is one wall, `main`, with the built-in scene.
    pub file: Option<PathBuf>,
}

/// What such a file holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    walls: Vec<Wall>,
    /// Beside the built-in one.
    #[serde(default)]
    scenes: Vec<Scene>,
}

/// The walls every hall has, written as a file, with a scene to begin from.
#[cfg(test)]
const EXAMPLE: &str = include_str!("../../../config/walls.toml");

impl WallsFile {
    pub fn load(&self) -> anyhow::Result<Walls> {
        let Some(file) = &self.file else { return Ok(Walls::default()) };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("walls.file: cannot read `{}`", file.display()))?;
        read(&text).with_context(|| format!("walls.file: `{}` does not hold", file.display()))
    }
}

fn read(text: &str) -> anyhow::Result<Walls> {
    let written: Written = toml::from_str(text)?;
    Ok(Walls::new(written.walls, written.scenes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_holds_and_its_first_wall_is_the_built_in_one() {
        let walls = read(EXAMPLE).unwrap();
        assert_eq!(walls.walls[0], Walls::default().walls[0]);
        assert!(walls.scenes.len() > 1, "the example shows a scene of its own");
        assert_eq!(WallsFile::default().load().unwrap(), Walls::default());
    }

    #[test]
    fn a_file_that_does_not_hold_is_named_with_its_reason() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("walls.toml");
        let refused = |text: &str| {
            std::fs::write(&file, text).unwrap();
            format!("{:#}", WallsFile { file: Some(file.clone()) }.load().unwrap_err())
        };
        let wall = "[[walls]]\nid = \"main\"\nname = { zh = \"屏\" }\nscene = ";
        let error = refused(&format!("{wall}\"night\"\n"));
        assert!(error.contains("walls.toml") && error.contains("there is no scene `night`"), "{error}");
        let error = refused(&format!("{wall}\"usual\"\nsceen = 1\n"));
        assert!(error.contains("sceen"), "{error}");
        let panel = "[[scenes]]\nid = \"one\"\nname = { zh = \"一\" }\n[[scenes.shapes]]\nwidth = 1920\nheight = 1080\n\
            cells = [{ panel = \"clock\", x = 0, y = 0, width = 9, height = 9 }]\n";
        let error = refused(&format!("{wall}\"usual\"\n{panel}"));
        assert!(error.contains("clock") && error.contains("head_right"), "what there is, is said: {error}");
        let missing = WallsFile { file: Some(dir.path().join("none.toml")) }.load().unwrap_err();
        assert!(format!("{missing:#}").contains("none.toml"), "{missing:#}");
    }
}
