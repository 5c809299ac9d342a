//! The commands.

pub mod package;
