//! Adopting a list of cameras: whether it is another one, and which one is in force.

use super::State;
use crate::adoption::{CameraCounts, CamerasAdopted, ListHash, ListInForce, Took};
use crate::event::{Event, HallEvent};
use crate::rejection::{Adoptable, Rejection};

impl State {
    /// The adopted list of cameras in force; none before the first adoption.
    #[must_use]
    pub fn cameras(&self) -> Option<&ListInForce> {
        self.cameras.as_ref()
    }

    /// The event of adopting the list of this name; none where it is the one in force. Held against the version `upon`, where it
    /// was held against one: 0 is the time before the first adoption.
    pub fn adopting_cameras(
        &self,
        hash: ListHash,
        counts: CameraCounts,
        upon: Option<u64>,
    ) -> Result<Option<Event>, Rejection> {
        let in_force = self.cameras.as_ref();
        if in_force.is_some_and(|list| list.hash == hash) {
            return Ok(None);
        }
        let is = in_force.map_or(0, |list| list.version);
        self.expect_upon(Adoptable::Cameras, upon, is, in_force.map(|list| &list.took))?;
        let adopted = CamerasAdopted { version: is + 1, hash, counts };
        Ok(Some(Event::Hall(HallEvent::CamerasAdopted(adopted))))
    }

    /// The list comes into force.
    pub(super) fn take_cameras(&mut self, adopted: &CamerasAdopted, took: Took) {
        let CamerasAdopted { version, hash, counts: _ } = *adopted;
        self.cameras = Some(ListInForce { version, hash, took });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Desk;
    use crate::adoption::{CameraCounts, ListHash, ListInForce, Took};
    use crate::event::{By, Event, HallEvent, Recorded};
    use crate::rejection::{Adoptable, AdoptedSince, Rejection};

    #[test]
    fn a_list_that_is_in_force_is_not_adopted_again_and_each_other_one_is_a_version() {
        let mut state = Desk::new().state;
        let counts = CameraCounts { cameras: 2, new: 2, ..CameraCounts::default() };
        assert_eq!(state.cameras(), None);
        for (version, byte, name) in [(1, 7, "周敏"), (2, 8, "李强"), (3, 7, "周敏")] {
            let hash = ListHash([byte; 32]);
            let event = state.adopting_cameras(hash, counts, Some(version - 1)).unwrap().unwrap();
            let Event::Hall(HallEvent::CamerasAdopted(adopted)) = &event else { panic!("{event:?}") };
            assert_eq!((adopted.version, adopted.hash, adopted.counts), (version, hash, counts));
            let (seq, at) = (state.seq + 1, crate::state::tests::START);
            let changes = state.apply(&Recorded { seq, at, by: By::named(name), event });
            assert_eq!(changes, crate::state::Changes::default(), "no case, no call and no count changes");
            let took = Took { by: name.to_owned(), at };
            assert_eq!(state.cameras(), Some(&ListInForce { version, hash, took: took.clone() }));
            assert_eq!(state.adopting_cameras(hash, counts, Some(0)), Ok(None), "the same again is no other");
            let other = state.adopting_cameras(ListHash([9; 32]), counts, Some(version - 1)).unwrap_err();
            let since = AdoptedSince {
                what: Adoptable::Cameras,
                upon: version - 1,
                is: version,
                took: Some(took),
                offset: state.offset,
            };
            assert_eq!(other, Rejection::AdoptedSince(Box::new(since)));
            assert!(state.adopting_cameras(ListHash([9; 32]), counts, None).is_ok());
        }
    }
}
