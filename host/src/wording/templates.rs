//! The templates of one shop, compiled: the shared layout, its plugins', the merchant's.

mod slips;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use super::bounds::MISTAKES;
use super::shared::SHARED;
use super::{Assets, WordingError};
use slips::{extends_base, slips, text_keys};

/// What one template may do: enough for an order of hundreds of lines, not for a loop without end.
const FUEL: u64 = 400_000;

/// Templates ready to render.
#[derive(Debug, Clone)]
pub struct Templates {
    environment: Environment<'static>,
    /// The shared pieces with the names of their arguments.
    pieces: Arc<BTreeMap<String, Vec<String>>>,
    /// (plugin, file without `.html`)
    messages: BTreeSet<(String, String)>,
}

/// One template with where it came from.
struct Source<'a> {
    /// For errors.
    file: String,
    content: &'a str,
    /// By the merchant, who may do as they like.
    merchants: bool,
}

static HOUSE: LazyLock<Result<Environment<'static>, Vec<WordingError>>> = LazyLock::new(|| {
    let mut environment = bare();
    let mut errors = Vec::new();
    for (path, content) in SHARED.iter().filter(|(path, _)| is_template(path)) {
        if let Err(error) = environment.add_template(path, content) {
            errors.push(broken(path, &error));
        }
    }
    if errors.is_empty() { Ok(environment) } else { Err(errors) }
});

impl Templates {
    pub(super) fn build(
        plugins: &BTreeMap<String, Arc<Assets>>,
        overrides: &BTreeMap<String, Assets>,
        has_text: impl Fn(&str, &str) -> bool,
    ) -> Result<Self, Vec<WordingError>> {
        let mut environment = HOUSE.clone()?;
        let mut errors = Vec::new();
        let mut shared: BTreeSet<String> = SHARED.keys().filter(|path| is_template(path)).cloned().collect();
        let mut pieces: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let shops = overrides.get("shop");
        for (path, content) in shops.into_iter().flatten().filter(|(path, _)| is_template(path)) {
            let path = bare_path(path);
            shared.insert(path.to_owned());
            if let Err(error) = environment.add_template_owned(path.to_owned(), content.clone()) {
                errors.push(broken(&format!("shop/{path}"), &error));
            }
        }
        for path in &shared {
            if let Some(name) = path.strip_prefix("blocks/").and_then(|file| file.strip_suffix(".html")) {
                let own = shops
                    .and_then(|files| files.get(path).or_else(|| files.get(&format!("templates/{path}"))));
                let content = own.or_else(|| SHARED.get(path)).map(String::as_str).unwrap_or_default();
                pieces.insert(name.to_owned(), parameters(content));
            }
        }

        let mut messages = BTreeSet::new();
        for (plugin, sources) in of_plugins(plugins, overrides) {
            for (path, source) in &sources {
                let Some(name) = path.strip_suffix(".html") else {
                    errors.push(WordingError {
                        file: source.file.clone(),
                        line: None,
                        what: "a plugin's templates are `.html`: only those are escaped".to_owned(),
                    });
                    continue;
                };
                if shared.contains(path) && !source.merchants {
                    errors.push(WordingError {
                        file: source.file.clone(),
                        line: None,
                        what: format!("`{path}` is the name of a shared template; choose another"),
                    });
                    continue;
                }
                let key = key(&plugin, path);
                if let Err(error) = environment.add_template_owned(key.clone(), source.content.to_owned()) {
                    errors.push(broken(&source.file, &error));
                    continue;
                }
                let is_part = name.rsplit('/').next().unwrap_or(name).starts_with('_');
                if !is_part {
                    messages.insert((plugin.clone(), name.to_owned()));
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
                    errors.extend(slips(&template.undeclared_variables(true), source, &pieces));
                }
                let unknown = text_keys(source.content).filter(|(_, text)| !has_text(&plugin, text));
                errors.extend(unknown.take(MISTAKES).map(|(line, text)| WordingError {
                    file: source.file.clone(),
                    line: Some(line),
                    what: format!("there is no text `{text}` in any language; add it to `locales/`"),
                }));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }

        environment.set_path_join_callback(move |name, parent| {
            match parent.strip_prefix("plugins/").and_then(|rest| rest.split('/').next()) {
                Some(plugin) if !shared.contains(name) => key(plugin, name).into(),
                _ => name.into(),
            }
        });
        Ok(Self { environment, pieces: Arc::new(pieces), messages })
    }

    /// A copy that one rendering may add its own values to; the compiled templates are shared.
    #[must_use]
    pub fn environment(&self) -> Environment<'static> {
        self.environment.clone()
    }

    /// The shared pieces (`blocks.<name>`) with the names of their arguments.
    #[must_use]
    pub fn pieces(&self) -> &Arc<BTreeMap<String, Vec<String>>> {
        &self.pieces
    }

    /// The name under which the environment knows a plugin's message; the error lists what there is.
    pub fn message(&self, plugin: &str, template: &str) -> Result<String, String> {
        if self.messages.contains(&(plugin.to_owned(), template.to_owned())) {
            return Ok(key(plugin, &format!("{template}.html")));
        }
        let known: Vec<&str> = self.messages(plugin).collect();
        Err(if known.is_empty() {
            format!("`{plugin}` has no templates, so no `{template}`")
        } else {
            format!("`{plugin}` has no template `{template}`; it has {}", known.join(", "))
        })
    }

    /// The names of `data` that a message and the parts beside it use.
    pub fn data_names(&self, plugin: &str, template: &str) -> Result<BTreeSet<String>, String> {
        let message = self.message(plugin, template)?;
        let parts = key(plugin, "_");
        let names = self
            .environment
            .templates()
            .filter(|(name, _)| *name == message || name.starts_with(&parts))
            .flat_map(|(_, template)| template.undeclared_variables(true))
            .filter_map(|name| Some(name.strip_prefix("data.")?.split('.').next()?.to_owned()))
            .collect();
        Ok(names)
    }

    /// The messages of a plugin, without `.html`.
    pub fn messages(&self, plugin: &str) -> impl Iterator<Item = &str> {
        self.messages.iter().filter(move |(owner, _)| owner == plugin).map(|(_, name)| name.as_str())
    }
}

fn bare() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(64);
    // Its errors would carry the values of variables, and so a name.
    environment.set_debug(false);
    environment.remove_filter("safe");
    environment
}

/// The plugins' templates, with the merchant's in place of those they replace.
fn of_plugins<'a>(
    plugins: &'a BTreeMap<String, Arc<Assets>>,
    overrides: &'a BTreeMap<String, Assets>,
) -> BTreeMap<String, BTreeMap<String, Source<'a>>> {
    let mut all: BTreeMap<String, BTreeMap<String, Source<'a>>> = BTreeMap::new();
    for (plugin, assets) in plugins {
        let own = all.entry(plugin.clone()).or_default();
        for (path, content) in assets.iter() {
            if let Some(name) = path.strip_prefix("templates/") {
                let file = format!("{plugin}: {path}");
                own.insert(name.to_owned(), Source { file, content, merchants: false });
            }
        }
        for (path, content) in
            overrides.get(plugin).into_iter().flatten().filter(|(path, _)| is_template(path))
        {
            let file = format!("{plugin}/{path}");
            own.insert(bare_path(path).to_owned(), Source { file, content, merchants: true });
        }
    }
    all
}

fn key(plugin: &str, path: &str) -> String {
    format!("plugins/{plugin}/{path}")
}

fn is_template(path: &str) -> bool {
    path.ends_with(".html") || path.ends_with(".css")
}

fn bare_path(path: &str) -> &str {
    path.strip_prefix("templates/").unwrap_or(path)
}

/// `{# button(url, label) #}` in the first line.
fn parameters(source: &str) -> Vec<String> {
    let first = source.lines().next().unwrap_or_default();
    let Some((_, rest)) = first.split_once('(') else { return Vec::new() };
    let Some((inner, _)) = rest.split_once(')') else { return Vec::new() };
    inner.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn broken(file: &str, error: &minijinja::Error) -> WordingError {
    let what = match error.kind() {
        ErrorKind::SyntaxError => error.detail().unwrap_or("syntax error").to_owned(),
        _ => error.to_string(),
    };
    WordingError { file: file.to_owned(), line: error.line(), what }
}
