//! Reading settings, and what is said of those that are wrong.

use std::path::PathBuf;

use confique::Config;
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
    DotEnv(#[source] dotenvy::Error),
    #[error("{}", error_chain(.0))]
    Invalid(#[source] confique::Error),
}

/// Reads a program's settings: environment and `.env` first, then the file, then defaults.
///
/// # Errors
/// An unknown `LONGHAND_*` variable, or a value that does not parse; both are named.
pub fn load<C: Config>() -> Result<C, ConfigError> {
    let file = prepare()?;
    let mut builder = C::builder().env();
    if let Some(file) = file {
        builder = builder.file(file);
    }
    builder.load().map_err(ConfigError::Invalid)
}

/// Takes the `.env` file in, checks the variables' names, and gives the file that they name.
fn prepare() -> Result<Option<PathBuf>, ConfigError> {
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(error) => return Err(ConfigError::DotEnv(error)),
    }
    reject_unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
    Ok(std::env::var_os(CONFIG_FILE).map(PathBuf::from))
}

fn reject_unknown(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let known: Vec<&'static str> = variables().map(|variable| variable.name).chain([CONFIG_FILE]).collect();
    for name in names.filter(|name| name.starts_with("LONGHAND_")) {
        if !known.contains(&name.as_str()) {
            let nearest = known.iter().copied().min_by_key(|candidate| osa_distance(candidate, &name));
            let nearest = nearest.filter(|candidate| osa_distance(candidate, &name) <= 4);
            return Err(ConfigError::UnknownVariable { name, nearest });
        }
    }
    Ok(())
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
