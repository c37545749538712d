//! Golden bytes of every message, and decoders against anything.
