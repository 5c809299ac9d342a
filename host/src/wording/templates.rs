//! The templates of one plugin in a shop, compiled: its own, the merchant's, and the shared layout.

mod slips;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::{Environment, ErrorKind};

use super::bounds::MISTAKES;
use super::house::House;
use super::{Assets, WordingError};
use slips::{extends_base, slips, text_keys};

/// The templates of one plugin in a shop, ready to render, with the shared ones.
#[derive(Debug)]
pub(super) struct Templates {
    environment: Environment<'static>,
    pieces: Arc<BTreeMap<String, Vec<String>>>,
    /// Files without `.html`.
    messages: BTreeSet<String>,
}

/// One template that is no mere part of others.
#[derive(Debug)]
pub struct Message<'a> {
    templates: &'a Templates,
    /// The environment knows it by this.
    pub name: String,
    /// Of the plugin's parts.
    parts: String,
}

/// One template with where it came from.
struct Source<'a> {
    /// For errors.
    file: String,
    content: &'a str,
    /// By the merchant, who may do as they like.
    merchants: bool,
}

impl Templates {
    /// `packed`: the same plugin's without anything of a merchant's, when those are sound: what is compiled there is
    /// shared.
    pub(super) fn build(
        plugin: &str,
        assets: &Assets,
        house: &House,
        own: Option<&Assets>,
        packed: Option<&Self>,
        has_text: impl Fn(&str) -> bool,
    ) -> Result<Self, Vec<WordingError>> {
        let mut environment = house.environment(packed.map(|packed| &packed.environment))?;
        let mut errors = Vec::new();
        let mut messages = BTreeSet::new();
        for (path, source) in &sources(plugin, assets, own) {
            let Some(name) = path.strip_suffix(".html") else {
                errors.push(WordingError {
                    file: source.file.clone(),
                    line: None,
                    what: "a plugin's templates are `.html`: only those are escaped".to_owned(),
                });
                continue;
            };
            if house.names.contains(path) && !source.merchants {
                errors.push(WordingError {
                    file: source.file.clone(),
                    line: None,
                    what: format!("`{path}` is the name of a shared template; choose another"),
                });
                continue;
            }
            let key = key(plugin, path);
            if (packed.is_none() || source.merchants)
                && let Err(error) = environment.add_template_owned(key.clone(), source.content.to_owned())
            {
                errors.push(broken(&source.file, &error));
                continue;
            }
            let is_part = name.rsplit('/').next().unwrap_or(name).starts_with('_');
            if !is_part {
                messages.insert(name.to_owned());
                if !source.merchants && !extends_base(source.content) {
                    errors.push(WordingError {
                        file: source.file.clone(),
                        line: Some(1),
                        what: "begin with `{% extends \"base.html\" %}` (or name the file `_…` if it is only a part)"
                            .to_owned(),
                    });
                }
            }
            if let Ok(template) = environment.get_template(&key) {
                errors.extend(slips(&template.undeclared_variables(true), source, &house.pieces));
            }
            let unknown = text_keys(source.content).filter(|(_, text)| !has_text(text));
            errors.extend(unknown.take(MISTAKES).map(|(line, text)| WordingError {
                file: source.file.clone(),
                line: Some(line),
                what: format!("there is no text `{text}` in any language; add it to `locales/`"),
            }));
        }
        if !errors.is_empty() {
            return Err(errors);
        }

        let shared = Arc::clone(&house.names);
        environment.set_path_join_callback(move |name, parent| {
            match parent.strip_prefix("plugins/").and_then(|rest| rest.split('/').next()) {
                Some(plugin) if !shared.contains(name) => key(plugin, name).into(),
                _ => name.into(),
            }
        });
        Ok(Self { environment, pieces: Arc::clone(&house.pieces), messages })
    }

    /// The error lists what there is.
    pub(super) fn message(&self, plugin: &str, template: &str) -> Result<Message<'_>, String> {
        if self.messages.contains(template) {
            let name = key(plugin, &format!("{template}.html"));
            return Ok(Message { templates: self, name, parts: key(plugin, "_") });
        }
        if self.messages.is_empty() {
            return Err(without(plugin, template));
        }
        let known: Vec<&str> = self.messages.iter().map(String::as_str).collect();
        Err(format!("`{plugin}` has no template `{template}`; it has {}", known.join(", ")))
    }
}

impl Message<'_> {
    /// A copy that one rendering may add its own values to; the compiled templates are shared.
    #[must_use]
    pub fn environment(&self) -> Environment<'static> {
        self.templates.environment.clone()
    }

    /// The shared pieces (`blocks.<name>`) with the names of their arguments.
    #[must_use]
    pub fn pieces(&self) -> &Arc<BTreeMap<String, Vec<String>>> {
        &self.templates.pieces
    }

    /// The names of `data` that it and the parts beside it use.
    #[must_use]
    pub fn data_names(&self) -> BTreeSet<String> {
        let all = self.templates.environment.templates();
        all.filter(|(name, _)| *name == self.name || name.starts_with(&self.parts))
            .flat_map(|(_, template)| template.undeclared_variables(true))
            .filter_map(|name| Some(name.strip_prefix("data.")?.split('.').next()?.to_owned()))
            .collect()
    }
}

pub(super) fn without(plugin: &str, template: &str) -> String {
    format!("`{plugin}` has no templates, so no `{template}`")
}

/// The plugin's templates, with the merchant's in place of those they replace.
fn sources<'a>(plugin: &str, assets: &'a Assets, own: Option<&'a Assets>) -> BTreeMap<String, Source<'a>> {
    let mut all = BTreeMap::new();
    for (path, content) in assets {
        if let Some(name) = path.strip_prefix("templates/") {
            let file = format!("{plugin}: {path}");
            all.insert(name.to_owned(), Source { file, content, merchants: false });
        }
    }
    for (path, content) in own.into_iter().flatten().filter(|(path, _)| is_template(path)) {
        let file = format!("{plugin}/{path}");
        all.insert(bare_path(path).to_owned(), Source { file, content, merchants: true });
    }
    all
}

fn key(plugin: &str, path: &str) -> String {
    format!("plugins/{plugin}/{path}")
}

pub(super) fn is_template(path: &str) -> bool {
    path.ends_with(".html") || path.ends_with(".css")
}

pub(super) fn bare_path(path: &str) -> &str {
    path.strip_prefix("templates/").unwrap_or(path)
}

pub(super) fn broken(file: &str, error: &minijinja::Error) -> WordingError {
    let what = match error.kind() {
        ErrorKind::SyntaxError => error.detail().unwrap_or("syntax error").to_owned(),
        _ => error.to_string(),
    };
    WordingError { file: file.to_owned(), line: error.line(), what }
}
