//! What another list of cameras changes, by code. What should not be here: its words (`change::words`).

use super::registry::Registry;
use domain::code::CameraCode;
use serde::{Deserialize, Serialize};

pub mod words;

/// Codes named of one kind of change; the rest is counted.
const NAMED_MAX: usize = 100;

/// Cameras of one kind of change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Named {
    pub count: usize,
    /// The first hundred.
    pub codes: Vec<CameraCode>,
}

impl Named {
    fn add(&mut self, code: &CameraCode) {
        self.count += 1;
        if self.codes.len() < NAMED_MAX {
            self.codes.push(code.clone());
        }
    }
}

/// What becomes of the cameras in service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    pub new: Named,
    pub gone: Named,
    /// Fetched at another address, by another account or by other rules: their streams are dialled anew.
    pub readdressed: Named,
    /// At another place, in another area (by which it is seen), or with another view; their streams go on.
    pub moved: Named,
    /// With another name or owner; their streams go on.
    pub renamed: Named,
    pub as_before: usize,
}

impl Change {
    #[must_use]
    pub fn between(before: &Registry, after: &Registry) -> Self {
        let mut change = Self::default();
        for (code, now) in after.iter() {
            let Some(was) = before.get(code.as_str()) else {
                change.new.add(code);
                continue;
            };
            let place =
                |one: &domain::camera::Camera| (one.place, one.area.clone(), one.bearing_deg, one.view_deg);
            let mut same = true;
            for (differs, named) in [
                (was.origin != now.origin, &mut change.readdressed),
                (place(&was.camera) != place(&now.camera), &mut change.moved),
                (
                    (&was.camera.name, &was.camera.owner) != (&now.camera.name, &now.camera.owner),
                    &mut change.renamed,
                ),
            ] {
                if differs {
                    named.add(code);
                    same = false;
                }
            }
            change.as_before += usize::from(same);
        }
        for (code, _) in before.iter().filter(|(code, _)| after.get(code.as_str()).is_none()) {
            change.gone.add(code);
        }
        change
    }
}
