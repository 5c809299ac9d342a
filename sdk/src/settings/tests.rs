//! Reading by hand; the derive is tested in `tests/settings.rs`.

use super::*;

#[test]
fn placeholder_paths_read_from_the_outside_in() {
    let error = Error::new("expected a text").within("id").within("[2]").within("methods");
    assert_eq!(String::from(error), "settings.methods[2].id: expected a text");
}
