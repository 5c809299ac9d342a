//! The templates of one shop, compiled: the shared layout, its plugins', the merchant's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use super::shared::SHARED;
use super::texts::line_at;
use super::{Assets, WordingError};

/// What one template may do: enough for an order of hundreds of lines, not for a loop without end.
const FUEL: u64 = 400_000;

/// Names that a template may use beside its own.
const NAMES: [&str; 28] = [
    "shop",
    "customer",
    "greeting",
    "order",
    "data",
    "recommendations",
    "notices",
    "extras",
    "category",
    "locale",
    "now",
    "unsubscribe_url",
    "blocks",
    "t",
    "house",
    "money",
    "date",
    "instant",
    "arrival",
    "duration",
    "product",
    "range",
    "dict",
    "namespace",
    "loop",
    "self",
    "super",
    "caller",
];

/// What is known of the variables that never differ, so that a slip is found before a mail goes out.
const FIELDS: [(&str, &[&str]); 3] = [
    (
        "shop",
        &["id", "name", "url", "host", "country", "currency", "email", "phone", "phone_url", "contact_url"],
    ),
    ("customer", &["first_name", "company"]),
    (
        "order",
        &[
            "id",
            "number",
            "placed_at",
            "status",
            "lines",
            "has_images",
            "subtotal",
            "discount",
            "delivery",
            "tax",
            "adjustments",
            "total",
            "prices_include_tax",
            "payment_method",
            "destination",
            "shipments",
            "shipment",
        ],
    ),
];

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
                for (line, text) in text_keys(source.content) {
                    if !has_text(&plugin, text) {
                        errors.push(WordingError {
                            file: source.file.clone(),
                            line: Some(line),
                            what: format!("there is no text `{text}` in any language; add it to `locales/`"),
                        });
                    }
                }
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

fn extends_base(source: &str) -> bool {
    let mut words = source.split_whitespace();
    matches!(words.next(), Some("{%" | "{%-"))
        && words.next() == Some("extends")
        && matches!(words.next(), Some("\"base.html\"" | "'base.html'"))
}

/// `{# button(url, label) #}` in the first line.
fn parameters(source: &str) -> Vec<String> {
    let first = source.lines().next().unwrap_or_default();
    let Some((_, rest)) = first.split_once('(') else { return Vec::new() };
    let Some((inner, _)) = rest.split_once(')') else { return Vec::new() };
    inner.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Names that nothing has: a template would silently print nothing for them.
fn slips<'a>(
    names: &'a std::collections::HashSet<String>,
    source: &'a Source<'_>,
    pieces: &'a BTreeMap<String, Vec<String>>,
) -> impl Iterator<Item = WordingError> + use<'a> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    sorted.into_iter().filter_map(move |name| {
        let mut parts = name.split('.');
        let root = parts.next().unwrap_or_default();
        let field = parts.next();
        let (what, known): (String, Vec<&str>) = if !NAMES.contains(&root) {
            (format!("nothing is called `{root}`"), NAMES.to_vec())
        } else if root == "blocks" {
            let field = field.filter(|field| !pieces.contains_key(*field))?;
            (
                format!("there is no shared piece `blocks.{field}`"),
                pieces.keys().map(String::as_str).collect(),
            )
        } else {
            let fields = FIELDS.iter().find(|(owner, _)| *owner == root)?.1;
            let field = field.filter(|field| !fields.contains(field))?;
            (format!("`{root}` has no `{field}`"), fields.to_vec())
        };
        Some(WordingError {
            file: source.file.clone(),
            line: source.content.find(name.as_str()).map(|at| line_at(source.content, at)),
            what: format!("{what}; there are {}", known.join(", ")),
        })
    })
}

/// The literal keys of `t("…")`, with their lines.
fn text_keys(source: &str) -> impl Iterator<Item = (usize, &str)> {
    ["t(\"", "t('"].into_iter().flat_map(move |call| {
        source.match_indices(call).filter_map(move |(at, found)| {
            let before = source.get(..at)?.chars().next_back();
            if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == '.') {
                return None;
            }
            let rest = source.get(at + found.len()..)?;
            let (text, after) = rest.split_once(['"', '\''])?;
            // `t("step-" ~ n)` is made when rendering.
            let whole = matches!(after.trim_start().chars().next(), Some(')' | ','));
            whole.then(|| (line_at(source, at), text))
        })
    })
}

fn broken(file: &str, error: &minijinja::Error) -> WordingError {
    let what = match error.kind() {
        ErrorKind::SyntaxError => error.detail().unwrap_or("syntax error").to_owned(),
        _ => error.to_string(),
    };
    WordingError { file: file.to_owned(), line: error.line(), what }
}
