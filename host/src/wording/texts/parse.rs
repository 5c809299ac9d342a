//! One file of texts, read with all that is wrong in it.

use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentError, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::wording::WordingError;
use crate::wording::bounds::{self, MISTAKES};

pub(super) fn parse(
    file: &str,
    tag: &str,
    source: &str,
) -> Result<(LanguageIdentifier, Arc<FluentResource>), Vec<WordingError>> {
    let language: LanguageIdentifier = tag.parse().map_err(|_| {
        vec![WordingError {
            file: file.to_owned(),
            line: None,
            what: format!("`{tag}` is not a language tag; name the file like `en.ftl` or `pt-BR.ftl`"),
        }]
    })?;
    if let Some((line, what)) = bounds::unparsable(source) {
        return Err(vec![WordingError { file: file.to_owned(), line: Some(line), what }]);
    }
    let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| {
        let told = errors.into_iter().take(MISTAKES).map(|error| WordingError {
            file: file.to_owned(),
            line: Some(line_at(source, error.pos.start)),
            what: error.to_string(),
        });
        told.collect::<Vec<_>>()
    })?;
    let resource = Arc::new(resource);
    let mut alone = FluentBundle::new_concurrent(vec![language.clone()]);
    if let Err(errors) = alone.add_resource(Arc::clone(&resource)) {
        return Err(errors.into_iter().take(MISTAKES).map(|error| twice(file, source, &error)).collect());
    }
    Ok((language, resource))
}

fn twice(file: &str, source: &str, error: &FluentError) -> WordingError {
    let (line, what) = match error {
        FluentError::Overriding { id, .. } => {
            let second = source
                .lines()
                .enumerate()
                .filter(|(_, line)| {
                    line.strip_prefix(id.as_str()).is_some_and(|rest| rest.trim_start().starts_with('='))
                })
                .map(|(index, _)| index + 1)
                .nth(1);
            (second, format!("`{id}` is there twice; remove one"))
        }
        other => (None, other.to_string()),
    };
    WordingError { file: file.to_owned(), line, what }
}

/// Counted from 1.
pub(in crate::wording) fn line_at(source: &str, position: usize) -> usize {
    source.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}
