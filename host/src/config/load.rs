//! Reads the files; what types cannot check is left to `check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::mistake::shown;
use super::wording_of_serde::say;
use super::{
    ConfigError, HostConfig, HostGrant, LogFormat, Origin, SecretSource, ShopConfig, WebhookEndpoint, check,
};

/// The name of the host's file.
pub const HOST_FILE: &str = "cartwright.toml";

/// Reads `cartwright.toml` of a folder; relative folders in it become paths below that folder.
///
/// These environment variables win over the file: `CARTWRIGHT_LISTEN`,
/// `CARTWRIGHT_DATABASE`, `CARTWRIGHT_DATA_DIR`, `CARTWRIGHT_LOG` (the filter) and
/// `CARTWRIGHT_LOG_FORMAT`.
pub fn load_host(folder: &Path) -> Result<HostConfig, ConfigError> {
    load_host_with(folder, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn load_host_with(
    folder: &Path,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<HostConfig, ConfigError> {
    let file = folder.join(HOST_FILE);
    let text = read(&file).map_err(|error| {
        if file.exists() {
            error
        } else {
            ConfigError::unreadable(&file, format!("there is no {}", shown(&file)))
                .with_help("run `cartwright init` to write one, or name its folder with `--folder` (-C)")
        }
    })?;
    let mut config = host(&file, text, environment)?;
    // Absolute: what watches files is told absolute paths, and a command may change its folder.
    let folder = &std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    folder.clone_into(&mut config.folder);
    for path in
        [&mut config.data_dir, &mut config.plugins_dir, &mut config.shops_dir, &mut config.templates_dir]
    {
        *path = folder.join(&*path);
    }
    if let Some(smtp) = &mut config.smtp {
        if let Some(SecretSource::File(file)) = &mut smtp.password {
            *file = folder.join(&*file);
        }
        smtp.ca_file = smtp.ca_file.take().map(|file| folder.join(file));
    }
    if let Some(tls) = &mut config.tls {
        tls.certificate = folder.join(&tls.certificate);
        tls.key = folder.join(&tls.key);
    }
    config.outbox_dir = config.outbox_dir.map(|path| folder.join(path));
    config.fetch.ca_file = config.fetch.ca_file.map(|path| folder.join(path));
    config.database = config.database.map(|database| rooted(&database, folder));
    Ok(config)
}

fn host(
    file: &Path,
    text: Arc<str>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<HostConfig, ConfigError> {
    let mut config: HostConfig = parse(file, &text)?;
    config.origin = Origin { file: file.to_owned(), text };
    override_from(&mut config, environment)?;
    match ConfigError::all(check::host(&config)) {
        Some(error) => Err(error),
        None => Ok(config),
    }
}

/// The text of the host's file alone.
#[cfg(any(test, feature = "fuzzing"))]
pub fn parse_host(file: &Path, text: &str) -> Result<HostConfig, ConfigError> {
    host(file, text.into(), |_| None)
}

/// `sqlite:<path>` with the path below the folder; the URL of a server as it is.
fn rooted(database: &str, folder: &Path) -> String {
    match database.strip_prefix("sqlite:") {
        Some(path) => format!("sqlite:{}", folder.join(path.trim_start_matches("//")).display()),
        None => database.to_owned(),
    }
}

fn override_from(
    config: &mut HostConfig,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<(), ConfigError> {
    let wrong = |name: &str, value: &str, what: &str| {
        ConfigError::unreadable(
            Path::new(name),
            format!("the environment variable {name} is `{value}`, which is not {what}"),
        )
    };
    if let Some(value) = environment("CARTWRIGHT_LISTEN") {
        config.listen = value
            .parse()
            .map_err(|_| wrong("CARTWRIGHT_LISTEN", &value, "an address like 127.0.0.1:8080"))?;
    }
    if let Some(value) = environment("CARTWRIGHT_LOG_FORMAT") {
        config.log.format = match value.as_str() {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            _ => return Err(wrong("CARTWRIGHT_LOG_FORMAT", &value, "`text` or `json`")),
        };
    }
    if let Some(value) = environment("CARTWRIGHT_DATABASE") {
        if !check::is_database(&value) {
            // It may hold a password.
            return Err(ConfigError::unreadable(
                Path::new("CARTWRIGHT_DATABASE"),
                "the environment variable CARTWRIGHT_DATABASE is neither `sqlite:` and the path of a file nor a \
                 `postgres://` URL",
            ));
        }
        config.database = Some(value);
    }
    if let Some(value) = environment("CARTWRIGHT_DATA_DIR") {
        config.data_dir = PathBuf::from(value);
    }
    if let Some(value) = environment("CARTWRIGHT_LOG") {
        config.log.filter = value;
    }
    Ok(())
}

/// Reads `shops/<id>.toml`; files of secrets that it names are looked for beside it.
pub fn load_shop(file: &Path) -> Result<ShopConfig, ConfigError> {
    let id = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if !check::is_shop_id(id) {
        return Err(ConfigError::unreadable(
            file,
            format!("`{id}` cannot be the id of a shop, and a shop's file is named by its id"),
        )
        .with_help("rename the file: small letters, digits and hyphens, beginning with a letter or digit"));
    }
    parse_shop(file, read(file)?)
}

/// The same for a text that may not be in the file yet.
pub fn parse_shop(file: &Path, text: Arc<str>) -> Result<ShopConfig, ConfigError> {
    let mut config: ShopConfig = parse(file, &text)?;
    file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().clone_into(&mut config.id);
    let (feedback, basic) = config.mail_feedback.as_mut().map_or((None, None), |reports| {
        (reports.secret.as_mut(), reports.basic.as_mut().map(|basic| &mut basic.password))
    });
    for secret in [
        config.woocommerce.as_mut().map(|woocommerce| &mut woocommerce.secret),
        config.customer_tokens.as_mut().map(|tokens| &mut tokens.secret),
        feedback,
        basic,
    ]
    .into_iter()
    .flatten()
    .chain(config.webhooks.iter_mut().flat_map(WebhookEndpoint::sources_mut))
    .chain(config.plugins.iter_mut().flat_map(|plugin| &mut plugin.hosts).flat_map(HostGrant::sources_mut))
    {
        if let SecretSource::File(path) = secret {
            let beside = file.parent().unwrap_or(Path::new(".")).join(&*path);
            *path = std::path::absolute(&beside).unwrap_or(beside);
        }
    }
    config.origin = Origin { file: file.to_owned(), text };
    match ConfigError::all(check::shop(&config)) {
        Some(error) => Err(error),
        None => Ok(config),
    }
}

/// Reads every `*.toml` of a folder, sorted by name; broken ones are left out and reported. Keys that two
/// shops share are reported too, and leave nobody out.
#[must_use]
pub fn load_shops(folder: &Path) -> (Vec<ShopConfig>, Vec<ConfigError>) {
    let files = match shop_files(folder) {
        Ok(files) => files,
        Err(error) => return (Vec::new(), vec![error]),
    };
    let mut shops = Vec::new();
    let mut errors = Vec::new();
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    for file in files {
        match load_shop(&file) {
            Ok(shop) => {
                errors.extend(shared_key(&shop, &mut keys));
                shops.push(shop);
            }
            Err(error) => errors.push(error),
        }
    }
    (shops, errors)
}

/// The `*.toml` files of a folder, sorted by name.
pub fn shop_files(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        ConfigError::unreadable(folder, format!("the folder of shops cannot be read: {error}")).with_help(
            "run `cartwright init` to write a first shop, or correct `shops_dir` in cartwright.toml",
        )
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    Ok(files)
}

/// Two shops cannot share a key: it has the id of its shop in it and opens no other, so the copy's is of no
/// use. Which file is the copy is not known here (only hashes are), so both shops stay as they are, and the
/// mistake names both.
fn shared_key(shop: &ShopConfig, keys: &mut BTreeMap<String, String>) -> Option<ConfigError> {
    let mut mistakes = Vec::new();
    for (index, key) in shop.keys.iter().enumerate() {
        let owner = keys.entry(key.sha256.to_ascii_lowercase()).or_insert_with(|| shop.id.clone());
        if *owner == shop.id {
            continue;
        }
        let message = format!(
            "the shops `{owner}` and `{}` have the same key; it opens only the one whose id is in it \
             (cw_sk_<shop>_…)",
            shop.id
        );
        let mistake = shop.origin.mistake(&["keys".into(), index.into(), "sha256".into()], message);
        mistakes.push(mistake.with_help(
            "take it out of the other's file, and make that one a key of its own with `cartwright key create \
             --shop <shop>`",
        ));
    }
    ConfigError::all(mistakes)
}

fn read(file: &Path) -> Result<Arc<str>, ConfigError> {
    std::fs::read_to_string(file).map(Arc::from).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => error.to_string(),
        };
        ConfigError::unreadable(file, format!("{} cannot be read: {why}", shown(file)))
    })
}

fn parse<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let (message, help) = say(error.message());
        let mistake = ConfigError::in_text(file, text, error.span(), message);
        match help {
            Some(help) => mistake.with_help(help),
            None => mistake,
        }
    })
}

#[cfg(test)]
mod tests;
