//! Tests of the files themselves.
