//! The `cartwright` command.
fn main() {}
