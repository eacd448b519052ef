//! The names of models in requests, and what they stand for: a model's own name, what the operator's table says, or the
//! name under which others publish the same weights.

use api::{ApiError, ErrorKind};
use axum::http::StatusCode;
use models::{AllowedModels, catalogue::whisper_models};

/// In the operator's table, the model that the workers take by default.
const DEFAULT: &str = "default";

/// Those who publish Whisper's weights as they are, whatever the format.
const PUBLISHERS: [&str; 6] = ["openai", "systran", "guillaumekln", "ggerganov", "deepdml", "mobiuslabsgmbh"];

/// All names that requests may have; cheap enough to clone.
#[derive(Debug, Clone)]
pub(crate) struct ModelNames {
    allowed: AllowedModels,
    /// Name, and the model that it stands for; `None` is the workers' default.
    aliases: Vec<(String, Option<String>)>,
}

/// An entry of the operator's table that means nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadAlias {
    #[error("LONGHAND_MODEL_ALIASES has {0:?}, which is no NAME=MODEL: name a model, or write NAME=default")]
    NoPair(String),
    #[error(
        "LONGHAND_MODEL_ALIASES gives {name} to {model}, which is not offered here: name default, or one of {known}"
    )]
    NotOffered { name: String, model: String, known: String },
}

impl ModelNames {
    /// `table` is a list of `NAME=MODEL` with commas between them.
    ///
    /// # Errors
    /// A slip in the table, or a model in it that the settings do not offer.
    pub(crate) fn new(allowed: AllowedModels, table: &str) -> Result<Self, BadAlias> {
        let entries = table.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let aliases = entries.map(|entry| alias(entry, &allowed)).collect::<Result<_, _>>()?;
        Ok(Self { allowed, aliases })
    }

    /// The model that a name stands for; `None` is the workers' default. Paths, which the command line takes, are
    /// refused: over HTTP nobody names files of the workers.
    ///
    /// # Errors
    /// 404 as of OpenAI's API, or 400 where the settings do not offer it, with the names that there are.
    pub(crate) fn resolve(&self, name: &str) -> Result<Option<String>, ApiError> {
        if let Some((_, model)) = self.aliases.iter().find(|(alias, _)| alias == name) {
            return Ok(model.clone());
        }
        if self.allowed.contains(name) {
            return Ok(Some(name.to_owned()));
        }
        match published(name) {
            Some(model) if self.allowed.contains(model) => Ok(Some(model.to_owned())),
            Some(model) => {
                Err(ApiError::invalid(self.allowed.refusal(model).to_string()).param("model").code("model_not_allowed"))
            }
            None => {
                let message = format!("there is no model {name:?}; name one of {}", self.all().join(", "));
                Err(ApiError::new(StatusCode::NOT_FOUND, ErrorKind::InvalidRequestError, message)
                    .param("model")
                    .code("model_not_found"))
            }
        }
    }

    /// All that can be named, but for the names that others have for the same.
    pub(crate) fn all(&self) -> Vec<&str> {
        self.aliases.iter().map(|(name, _)| name.as_str()).chain(self.allowed.names()).collect()
    }
}

fn alias(entry: &str, allowed: &AllowedModels) -> Result<(String, Option<String>), BadAlias> {
    let pair = entry.split_once('=').map(|(name, model)| (name.trim(), model.trim()));
    let (name, model) = pair
        .filter(|(name, model)| !name.is_empty() && !model.is_empty())
        .ok_or_else(|| BadAlias::NoPair(entry.to_owned()))?;
    if model == DEFAULT {
        return Ok((name.to_owned(), None));
    }
    if !allowed.contains(model) {
        let (name, model, known) = (name.to_owned(), model.to_owned(), allowed.names().join(", "));
        return Err(BadAlias::NotOffered { name, model, known });
    }
    Ok((name.to_owned(), Some(model.to_owned())))
}

/// The model of the catalogue that is published under the name, such as `Systran/faster-whisper-base`. A name of somebody
/// else's is of other weights.
fn published(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let name = match name.rsplit_once('/') {
        Some((publisher, name)) if PUBLISHERS.contains(&publisher) => name,
        Some(_) => return None,
        None => &name,
    };
    let name = name.strip_prefix("faster-").unwrap_or(name);
    let name = name.strip_prefix("whisper-").or_else(|| name.strip_prefix("ggml-")).unwrap_or(name);
    let name = name.strip_suffix(".bin").or_else(|| name.strip_suffix("-ct2")).unwrap_or(name);
    let name = if name == "turbo" { "large-v3-turbo" } else { name };
    whisper_models().find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use engine::config::ModelSettings;
    use models::AllowedModels;

    use super::ModelNames;

    fn names(listed: Option<&[&str]>, table: &str) -> ModelNames {
        let models = listed.map(|models| models.iter().map(|model| (*model).to_owned()).collect());
        ModelNames::new(AllowedModels::of(&ModelSettings { models }).unwrap(), table).unwrap()
    }

    #[test]
    fn every_name_of_the_trade_finds_its_model() {
        let names = names(None, "whisper-1=default, house-model=small");
        for (name, model) in [
            ("whisper-1", Ok(None)),
            ("house-model", Ok(Some("small"))),
            ("base.en", Ok(Some("base.en"))),
            ("whisper-large-v3", Ok(Some("large-v3"))),
            ("whisper-large-v3-turbo", Ok(Some("large-v3-turbo"))),
            ("openai/whisper-base", Ok(Some("base"))),
            ("Systran/faster-whisper-base", Ok(Some("base"))),
            ("Systran/faster-whisper-tiny.en", Ok(Some("tiny.en"))),
            ("deepdml/faster-whisper-large-v3-turbo-ct2", Ok(Some("large-v3-turbo"))),
            ("ggml-small.bin", Ok(Some("small"))),
            ("turbo", Ok(Some("large-v3-turbo"))),
            ("somebody/whisper-base", Err(404)),
            ("openai/whisper-large-v9", Err(404)),
            ("../whisper-base", Err(404)),
            ("/etc/passwd", Err(404)),
            ("gpt-9", Err(404)),
        ] {
            let found = names.resolve(name).map_err(|refused| refused.status().as_u16());
            assert_eq!(found, model.map(|model: Option<&str>| model.map(str::to_owned)), "{name}");
        }
    }

    #[test]
    fn no_name_leads_past_the_models_that_are_offered() {
        let names = names(Some(&["base"]), "whisper-1=default,mine=base");
        assert_eq!(names.all(), ["whisper-1", "mine", "base"]);
        for name in ["large-v3", "whisper-large-v3", "Systran/faster-whisper-large-v3"] {
            assert_eq!(names.resolve(name).unwrap_err().status(), 400, "{name}");
        }
        let offered = AllowedModels::of(&ModelSettings { models: Some(vec!["base".to_owned()]) }).unwrap();
        for (table, message) in [
            ("mine=small", "gives mine to small, which is not offered here: name default, or one of base"),
            ("mine", "has \"mine\", which is no NAME=MODEL"),
            ("=base", "has \"=base\", which is no NAME=MODEL"),
        ] {
            let refused = ModelNames::new(offered.clone(), table).unwrap_err().to_string();
            assert!(refused.contains(message), "{refused}");
        }
    }
}
