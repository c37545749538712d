//! The one way the server takes a mutex. Nothing here leaves half a change behind when it panics, so what a panicking
//! holder leaves is as good as what it found.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for the mutex, whoever panicked with it before.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
