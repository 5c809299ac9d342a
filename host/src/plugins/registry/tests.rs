//! Reloads and what they keep.
