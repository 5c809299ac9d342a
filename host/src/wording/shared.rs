//! The host's own texts and templates, built into the binary.

use std::sync::LazyLock;

use rust_embed::RustEmbed;

use super::Assets;

#[derive(RustEmbed)]
#[folder = "../templates"]
struct Files;

/// Path → content, as in the folder `templates/` of the sources.
pub(super) static SHARED: LazyLock<Assets> = LazyLock::new(|| {
    Files::iter()
        .filter(|path| !path.ends_with(".md"))
        .filter_map(|path| {
            let file = Files::get(&path)?;
            let content = String::from_utf8(file.data.into_owned()).ok()?;
            Some((path.into_owned(), content))
        })
        .collect()
});
