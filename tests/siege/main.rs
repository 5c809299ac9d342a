//! Under siege.
fn main() {}
