//! Reading settings, and what is said of those that are wrong.

use std::{env, path::PathBuf};

use confique::{Config, File};
use strsim::osa_distance;

use super::variables;

/// Names the TOML file with settings.
const CONFIG_FILE: &str = "LONGHAND_CONFIG";

/// What is wrong with the settings, naming the variable or the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("unknown setting {name}: no program of Longhand reads it{}", .nearest.map(|known| format!("; did you mean {known}?")).unwrap_or_default())]
    UnknownVariable { name: String, nearest: Option<&'static str> },
    #[error("cannot read .env: {0}")]
    DotEnv(String),
    /// The variable's or the file's name, and what is allowed there.
    #[error("{0}")]
    Invalid(String),
}

/// Reads a program's settings: environment and `.env` first, then the file, then defaults.
///
/// # Errors
/// An unknown `LONGHAND_*` variable, or a value that does not parse; both are named.
pub fn load<C: Config>() -> Result<C, ConfigError> {
    let file = prepare()?;
    let mut builder = C::builder().env();
    if let Some(file) = file {
        let file = File::new(file).and_then(|file| file.required().load());
        let file = file.map_err(|error| ConfigError::Invalid(format!("{CONFIG_FILE}: {}", error_chain(&error))));
        builder = builder.preloaded(file?);
    }
    builder.load().map_err(|error| invalid(&error))
}

/// Takes the `.env` file in, checks the variables' names, and gives the file that they name.
fn prepare() -> Result<Option<PathBuf>, ConfigError> {
    // Before, so that what `.env` says counts instead, and after, as it may have empty ones itself.
    unset_empty();
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(error) => return Err(ConfigError::DotEnv(error.to_string())),
    }
    unset_empty();
    reject_unknown(env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
    Ok(env::var_os(CONFIG_FILE).map(PathBuf::from))
}

/// Takes away the settings that are empty, as those of a compose file are that its user has not set. Temporal's and S3's
/// clients read their own: to them an empty key is a key.
fn unset_empty() {
    let is_setting = |name: &str| is_of_clients(name) || known().any(|known| known == name);
    for (name, value) in env::vars_os() {
        if value.is_empty() && name.to_str().is_some_and(is_setting) {
            // SAFETY: settings are read at the start, when nothing but Rust's own code, which takes turns, has a use for
            // the environment.
            unsafe { env::remove_var(name) };
        }
    }
}

fn is_of_clients(name: &str) -> bool {
    name.starts_with("TEMPORAL_") || name.starts_with("AWS_")
}

fn known() -> impl Iterator<Item = &'static str> {
    variables().map(|variable| variable.name).chain([CONFIG_FILE])
}

fn reject_unknown(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let known: Vec<&'static str> = known().collect();
    for name in names.filter(|name| name.starts_with("LONGHAND_")) {
        if !known.contains(&name.as_str()) {
            let nearest = known.iter().copied().min_by_key(|candidate| osa_distance(candidate, &name));
            let nearest = nearest.filter(|candidate| osa_distance(candidate, &name) <= 4);
            return Err(ConfigError::UnknownVariable { name, nearest });
        }
    }
    Ok(())
}

/// What a person needs of a message that names fields of our structs, too: `VARIABLE: what is wrong`.
fn invalid(error: &confique::Error) -> ConfigError {
    let text = error_chain(error).replace("validation failed: ", "");
    let named = text.split_once("environment variable `").and_then(|(_, rest)| rest.split_once('`'));
    let told = named.and_then(|(variable, rest)| Some(format!("{variable}: {}", rest.split_once(": ")?.1)));
    ConfigError::Invalid(told.unwrap_or(text))
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::variables, reject_unknown};

    #[test]
    fn a_misspelt_variable_is_named_with_the_nearest_one() {
        let error = reject_unknown(["PATH".to_owned(), "LONGHAND_MODLE".to_owned()].into_iter()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown setting LONGHAND_MODLE: no program of Longhand reads it; did you mean LONGHAND_MODEL?"
        );
        assert!(reject_unknown(variables().map(|variable| variable.name.to_owned())).is_ok());
    }
}
