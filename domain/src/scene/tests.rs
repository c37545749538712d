//! Scenes hold or say why not; a screen gets the shape that fits it.

use super::*;

fn cell(panel: PanelKind, x: u32, y: u32, width: u32, height: u32) -> Cell {
    Cell { panel, x, y, width, height }
}

/// A scene of one shape of 1920 × 1080 with a header.
fn scene(cells: &[Cell]) -> Scene {
    let head = cell(PanelKind::HeadRight, 0, 0, 1_920, 68);
    let cells = std::iter::once(head).chain(cells.iter().copied()).collect();
    let name = Name { zh: "夜间".to_owned(), en: "Night".to_owned() };
    Scene { id: "night".to_owned(), name, shapes: vec![Shape { width: 1_920, height: 1_080, cells }] }
}

fn refused(cells: &[Cell]) -> CellError {
    match scene(cells).check() {
        Err(SceneError::Shape { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

fn wall(id: &str, scene: &str) -> Wall {
    Wall {
        id: id.to_owned(), name: Name { zh: "屏".to_owned(), en: String::new() }, scene: scene.to_owned()
    }
}

#[test]
fn the_usual_scene_holds_and_shows_every_panel_in_both_shapes() {
    let usual = Scene::usual();
    assert_eq!(usual.check(), Ok(()));
    for shape in &usual.shapes {
        assert_eq!(shape.cells.len(), 11);
        let of = |panel| *shape.cells.iter().find(|cell| cell.panel == panel).unwrap();
        // The module of the reference: margins of 32 and 20, a strip of 92 that ends above the lower one.
        assert_eq!(of(PanelKind::HeadLeft).x, 32);
        let (events, alarms) = (of(PanelKind::Events), of(PanelKind::Alarms));
        assert_eq!((events.y, events.height), (968, 92));
        assert_eq!(alarms.x + alarms.width, shape.width - 32);
    }
    let wide = &usual.shapes[0];
    let crossing = wide.cells.iter().filter(|cell| cell.x < 1_920 && cell.x + cell.width > 1_920);
    let crossing: Vec<PanelKind> = crossing.map(|cell| cell.panel).collect();
    assert_eq!(crossing, [PanelKind::Events], "two outputs meet in the middle");
}

#[test]
fn a_screen_gets_the_shape_whose_proportions_are_nearest() {
    let usual = Scene::usual();
    let width = |width, height| usual.hung(width, height).map(|(hanging, shape)| (hanging, shape.width));
    for (screen, shape) in [
        ((3_840.0, 1_080.0), 3_840),
        ((7_680.0, 2_160.0), 3_840),
        ((5_120.0, 1_440.0), 3_840),
        ((2_800.0, 1_080.0), 3_840),
        ((1_920.0, 1_080.0), 1_920),
        ((3_840.0, 2_160.0), 1_920),
        ((2_560.0, 1_080.0), 1_920),
        ((1_366.0, 768.0), 1_920),
        ((1_600.0, 1_200.0), 1_920),
    ] {
        assert_eq!(width(screen.0, screen.1), Some((Hanging::Placed, shape)), "{screen:?}");
    }
    assert_eq!(width(390.0, 844.0), Some((Hanging::Stacked, 1_920)));
    assert_eq!(
        width(0.0, 0.0).map(|(hanging, _)| hanging),
        Some(Hanging::Stacked),
        "a window without a size"
    );
}

#[test]
fn cells_lie_inside_their_wall_and_not_on_each_other() {
    let flow = cell(PanelKind::Flow, 0, 100, 640, 300);
    assert_eq!(
        scene(&[flow, cell(PanelKind::Stages, 640, 100, 640, 300)]).check(),
        Ok(()),
        "edges may touch"
    );
    assert_eq!(refused(&[cell(PanelKind::Flow, 1_281, 100, 640, 300)]), CellError::Outside(PanelKind::Flow));
    assert_eq!(
        refused(&[cell(PanelKind::Flow, u32::MAX, 100, 640, 300)]),
        CellError::Outside(PanelKind::Flow)
    );
    assert_eq!(
        refused(&[flow, cell(PanelKind::Stages, 639, 399, 640, 300)]),
        CellError::Overlap(PanelKind::Flow, PanelKind::Stages)
    );
    assert_eq!(
        refused(&[flow, cell(PanelKind::Flow, 700, 100, 640, 300)]),
        CellError::Twice(PanelKind::Flow)
    );
}

#[test]
fn a_panel_too_small_for_its_words_is_refused_in_the_pixels_of_its_wall() {
    let small = refused(&[cell(PanelKind::Overdue, 0, 100, 600, 300)]);
    assert_eq!(small.to_string(), "`overdue` needs 600 × 410 pixels here, and has 600 × 300");
    // On a wall of twice the height letters are twice as high.
    let mut large = scene(&[cell(PanelKind::Flow, 0, 140, 1_199, 600)]);
    (large.shapes[0].width, large.shapes[0].height) = (3_840, 2_160);
    large.shapes[0].cells[0] = cell(PanelKind::HeadRight, 0, 0, 3_840, 136);
    let words = large.check().unwrap_err().to_string();
    assert_eq!(words, "3840 × 2160: `flow` needs 1200 × 540 pixels here, and has 1199 × 600");
    large.shapes[0].cells[1].width = 1_200;
    assert_eq!(large.check(), Ok(()));
}

#[test]
fn a_scene_without_the_age_of_its_data_and_one_without_a_name_are_refused() {
    let mut bare = scene(&[]);
    bare.shapes[0].cells.clear();
    assert!(bare.check().unwrap_err().to_string().contains("head_right"));
    bare.shapes.clear();
    assert_eq!(bare.check(), Err(SceneError::Shapes(0)));
    let mut unnamed = scene(&[]);
    unnamed.name.zh.clear();
    assert!(matches!(unnamed.check(), Err(SceneError::Name(_))));
    for id in ["", "../x", "夜", "a b", &"x".repeat(65)] {
        let unaddressed = Scene { id: id.to_owned(), ..scene(&[]) };
        assert!(matches!(unaddressed.check(), Err(SceneError::Id(_))), "{id}");
    }
}

#[test]
fn walls_name_scenes_that_are_there_and_one_of_them_is_the_main_one() {
    let with = |walls: &[(&str, &str)], scenes: Vec<Scene>| {
        Walls::new(walls.iter().map(|(id, scene)| wall(id, scene)).collect(), scenes)
    };
    let told = |result: Result<Walls, WallsError>| result.unwrap_err().to_string();
    with(&[("main", USUAL), ("east", "night")], vec![scene(&[])]).unwrap();
    assert_eq!(with(&[("east", USUAL)], Vec::new()), Err(WallsError::NoMain));
    assert_eq!(told(with(&[("main", "night")], Vec::new())), "wall `main`: there is no scene `night`");
    assert_eq!(told(with(&[("main", USUAL), ("main", USUAL)], Vec::new())), "`main` is named twice");
    assert_eq!(told(with(&[("main", USUAL)], vec![Scene::usual()])), "`usual` is named twice");
    assert!(told(with(&[("main", USUAL), ("a/b", USUAL)], Vec::new())).starts_with("wall `a/b`:"));
    let cell = cell(PanelKind::Map, 0, 2_000, 900, 900);
    assert_eq!(
        told(with(&[("main", USUAL)], vec![scene(&[cell])])),
        "scene `night`: 1920 × 1080: `map` reaches beyond the wall"
    );
    assert_eq!(Walls::default().check(), Ok(()));
}

#[test]
fn an_address_names_a_wall_or_its_number_and_perhaps_a_scene() {
    let walls = vec![wall("main", USUAL), wall("east", "night")];
    let walls = Walls::new(walls, vec![scene(&[])]).unwrap();
    let shown = |wall, scene| walls.shown(wall, scene).map(|scene| scene.id.as_str());
    for (address, scene) in [("main", USUAL), ("1", USUAL), ("east", "night"), ("2", "night")] {
        assert_eq!(shown(address, None), Ok(scene), "{address}");
    }
    for address in ["3", "0", "-1", "west", "", "18446744073709551616"] {
        assert_eq!(shown(address, None), Err(Missing::Wall), "{address}");
    }
    assert_eq!(shown("main", Some("night")), Ok("night"));
    assert_eq!(shown("main", Some("noon")), Err(Missing::Scene));
}

#[test]
fn walls_travel_and_are_written_as_they_are() {
    let walls = Walls::default();
    let text = serde_json::to_string(&walls).unwrap();
    assert_eq!(serde_json::from_str::<Walls>(&text).unwrap(), walls);
    let panel = "{\"panel\":\"head_left\",\"x\":32,\"y\":20,\"width\":1880,\"height\":68}";
    assert!(text.contains(panel), "{text}");
    for cell in &Scene::usual().shapes[0].cells {
        let written = serde_json::to_string(&cell.panel).unwrap();
        assert_eq!(written, format!("\"{}\"", cell.panel.key()), "a refusal names a panel as files do");
    }
}

#[test]
fn a_cell_covers_the_same_part_of_a_wall_of_any_size() {
    let shape = &Scene::usual().shapes[0];
    let [left, _, width, _] = shape.cells[0].percent(shape);
    let [x, long] = [left, width].map(|part| part * 7_680.0 / 100.0);
    assert!((x - 64.0).abs() < 1e-9 && (long - 3_760.0).abs() < 1e-9, "{x} {long}");
}
