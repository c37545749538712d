//! What a tile leaves out when page or way are too slow for all pictures (减帧), and whose fault it is.
//!
//! What should be here: from counts to a word. What should not: which pictures are left out (the decoder's rule: never a
//! delta after a gap; the painter's: always the newest).

use super::Facts;

/// With fewer than this share of the pictures painted, in percent, the tile says so. Below the tenth that is missing a
/// person sees no difference and counts taken over seconds are not exact.
const WHOLE_PERCENT: u32 = 90;

/// Pictures of a tile that were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Pictures a second that are shown.
    pub shown_per_s: u32,
    /// Pictures a second that the camera gave.
    pub sent_per_s: u32,
    pub by: LeftBy,
}

/// Where pictures were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftBy {
    /// This computer decodes or paints too slowly (本机).
    Computer,
    /// The way from the server is too slow (网络).
    Way,
}

/// What is left out of a moving picture, if anything that matters.
pub(super) fn left(facts: &Facts) -> Option<Left> {
    let (sent, shown) = (facts.sent_per_s?, facts.painted_per_s?);
    if sent == 0 || u64::from(shown) * 100 >= u64::from(sent) * u64::from(WHOLE_PERCENT) {
        return None;
    }
    let held_back = facts.held_back_per_s.unwrap_or(0);
    // What the server held back is known to the page as a number only; most of what is missing decides.
    let by = if held_back > (sent - shown) / 2 { LeftBy::Way } else { LeftBy::Computer };
    Some(Left { shown_per_s: shown, sent_per_s: sent, by })
}
