//! Storage, tested as the rooms above use it.
