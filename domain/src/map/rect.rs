//! Upright rectangles on the screen, in CSS pixels.

use super::view::Px;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    #[must_use]
    pub fn around(at: Px, half_width: f64, half_height: f64) -> Self {
        Self {
            left: at.x - half_width,
            top: at.y - half_height,
            right: at.x + half_width,
            bottom: at.y + half_height,
        }
    }

    /// Area that both cover, in square pixels.
    #[must_use]
    pub fn shared(&self, other: &Self) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        if width > 0.0 && height > 0.0 { width * height } else { 0.0 }
    }

    #[must_use]
    pub fn holds(&self, px: Px) -> bool {
        px.x >= self.left && px.x <= self.right && px.y >= self.top && px.y <= self.bottom
    }

    /// Half of the largest square around a place that does not reach in; 0 for a place within.
    #[must_use]
    pub fn apart(&self, px: Px) -> f64 {
        let across = (self.left - px.x).max(px.x - self.right);
        let down = (self.top - px.y).max(px.y - self.bottom);
        across.max(down).max(0.0)
    }

    /// The place within that is nearest to `px`.
    #[must_use]
    pub fn nearest(&self, px: Px) -> Px {
        Px { x: px.x.clamp(self.left, self.right), y: px.y.clamp(self.top, self.bottom) }
    }

    #[must_use]
    pub fn centre(&self) -> Px {
        Px { x: (self.left + self.right) / 2.0, y: (self.top + self.bottom) / 2.0 }
    }
}
