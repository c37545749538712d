//! What comes out of any origin, and why nothing does.

use crate::video::relay::ring::Picture;
use crate::video::relay::status::Cause;

/// What came next.
#[derive(Debug)]
pub enum Item {
    Picture(Picture),
    /// A picture that cannot be used: damaged, after a loss, or before the first key frame.
    Withheld,
    /// Something other than a picture.
    Other,
}

/// Why pictures ended or never began; the reason holds no address and no account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub cause: Cause,
    pub reason: String,
}

impl Failure {
    pub fn new(cause: Cause, reason: impl Into<String>) -> Self {
        Self { cause, reason: reason.into() }
    }
}
