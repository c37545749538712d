//! Which view each kind of panel is. The same view hangs on a wall of any size: it measures itself by its cell
//! (`style/panel.css`).
//!
//! What should not be here: the views (`tile`), and where a panel hangs (`domain::scene`).

use domain::scene::PanelKind;
use leptos::prelude::*;

use crate::tile;

pub fn view(panel: PanelKind) -> AnyView {
    match panel {
        PanelKind::HeadLeft => tile::HeadLeft().into_any(),
        PanelKind::HeadRight => tile::HeadRight().into_any(),
        PanelKind::Flow => tile::Flow().into_any(),
        PanelKind::Stages => tile::Stages().into_any(),
        PanelKind::Units => tile::Units().into_any(),
        PanelKind::Map => tile::Where().into_any(),
        PanelKind::Overdue => tile::Overdue().into_any(),
        PanelKind::Whistles => tile::Whistles().into_any(),
        PanelKind::Incident => tile::Incident().into_any(),
        PanelKind::Events => tile::Events().into_any(),
        PanelKind::Alarms => tile::Alarms().into_any(),
    }
}
