//! Before whom an answer is read (观看者): somebody at a desk, or everybody in front of a wall.
//!
//! What should be here: what a wall does not show, of everything that has such a thing in it. What should not: which cases
//! somebody sees (`scope`), and which routes a role may use at all.

use serde::Serialize;

use crate::answer::CaseAnswer;
use crate::case::Case;
use crate::role::Role;
use crate::whistle::WhistleEvent;
use crate::wire::EventLine;

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Whoever has signed in, and machines.
    Desk,
    /// 大屏: whoever comes by. Not shown there: who reported, what people wrote about a case and its parties, who took a step,
    /// and the events themselves. Who has a case in hand and who walks near it is what a room looks up for, and is shown.
    Wall,
}

impl Audience {
    /// Of these roles; nobody in particular stands before a wall.
    #[must_use]
    pub fn of(roles: &[Role]) -> Self {
        if roles.iter().all(|role| *role == Role::Kiosk) { Self::Wall } else { Self::Desk }
    }

    /// Whether they may read who did something.
    #[must_use]
    pub fn names(self) -> bool {
        match self {
            Self::Desk => true,
            Self::Wall => false,
        }
    }

    /// What of this is for them: the one way to what is sent.
    #[must_use]
    pub fn show<T: OnWall>(self, whole: T) -> Shown<T> {
        Shown(match self {
            Self::Desk => whole,
            Self::Wall => whole.on_wall(),
        })
    }
}

/// What [`Audience::show`] has let through.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Shown<T>(T);

impl<T> Shown<T> {
    #[must_use]
    pub fn get(&self) -> &T {
        &self.0
    }

    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Something of which a wall shows a part.
pub trait OnWall {
    /// That part; what is not shown is empty.
    #[must_use]
    fn on_wall(self) -> Self;
}

impl OnWall for EventLine {
    fn on_wall(self) -> Self {
        // A call's title stands in the call itself.
        let note = if self.name == WhistleEvent::RAISED { self.note } else { String::new() };
        Self { actor: String::new(), note, ..self }
    }
}

impl OnWall for Case {
    fn on_wall(mut self) -> Self {
        self.report.reporter = None;
        self.report.description.clear();
        self.report.external = None;
        self.steps.iter_mut().for_each(|taken| taken.by.clear());
        self
    }
}

impl OnWall for CaseAnswer {
    fn on_wall(self) -> Self {
        let Self { case, closing, timeline: _, lines, older } = self;
        let lines = lines.into_iter().map(EventLine::on_wall).collect();
        Self { case: case.on_wall(), closing, timeline: Vec::new(), lines, older }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kiosk_and_nobody_stand_before_a_wall_and_everybody_else_at_a_desk() {
        assert_eq!(Audience::of(&[]), Audience::Wall);
        for role in Role::ALL {
            let wall = role == Role::Kiosk;
            assert_eq!(Audience::of(&[role]) == Audience::Wall, wall, "{role:?}");
            assert_eq!(Audience::of(&[role, Role::Viewer]), Audience::Desk, "{role:?}");
        }
    }
}
