//! Records, mapping and rows without a store.
