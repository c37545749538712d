//! Taking counts that were made anew in the background. What should not be here: making them (`writer::store`).

use domain::state::Recounted;

use super::group::Loop;
use crate::folder::StoreError;
use crate::world::World;

impl<W: World> Loop<W> {
    /// Takes them, once. Screens hear of them with the next event.
    pub(super) fn take_counts(&mut self) -> Result<(), StoreError> {
        let Some(replayed) = self.store.counted_anew(self.state.seq)? else { return Ok(()) };
        let Recounted { changed, codes, differs } = self.state.take_counts(replayed);
        if !differs.is_empty() {
            self.store.health().differs();
            metrics::counter!("gridhall_state_differs_total").increment(1);
            tracing::error!(
                differs = differs.join(", "),
                "the state is not what a replay of its log makes; start anew, and keep a copy of the folder"
            );
        }
        if codes {
            tracing::info!("codes that events have defined are what the log says from here on");
        }
        tracing::info!(cells = changed.len(), "counts of before are exact from here on");
        self.recounted.extend(changed);
        Ok(())
    }
}
