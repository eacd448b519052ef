//! Which models jobs may name.

use engine::config::ModelSettings;

use super::{catalogue, weights::looks_like_path};

/// The models that the settings list, or all that can be fetched where they list none.
#[derive(Debug, Clone)]
pub struct AllowedModels {
    listed: Option<Vec<String>>,
}

/// A listed name that means nothing.
#[derive(Debug, thiserror::Error)]
#[error("LONGHAND_MODELS names {name:?}, which is no model: list names of {known}, or paths on the workers")]
pub struct UnknownListed {
    name: String,
    known: String,
}

/// A model that the settings do not list.
#[derive(Debug, thiserror::Error)]
#[error("the model {name} is not offered here; name one of {allowed}")]
pub struct NotAllowed {
    name: String,
    allowed: String,
}

impl AllowedModels {
    /// # Errors
    /// A slip in the list.
    pub fn of(settings: &ModelSettings) -> Result<Self, UnknownListed> {
        let listed = settings.models.as_ref().map(|models| {
            let names = models.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
            names.map(str::to_owned).collect::<Vec<_>>()
        });
        // An empty variable counts as not set.
        let listed = listed.filter(|names| !names.is_empty());
        let unknown = listed.iter().flatten().find(|name| !is_catalogued(name) && !looks_like_path(name));
        match unknown {
            Some(name) => Err(UnknownListed { name: name.clone(), known: joined(catalogue::whisper_models()) }),
            None => Ok(Self { listed }),
        }
    }

    /// Their names, and the paths that the settings list.
    pub fn names(&self) -> Vec<&str> {
        match &self.listed {
            Some(listed) => listed.iter().map(String::as_str).collect(),
            None => catalogue::whisper_models().collect(),
        }
    }

    /// Whether somebody may name it who may not name just any file.
    pub fn contains(&self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// Checks what a job names: where the settings list nothing, a path may be named, too.
    ///
    /// # Errors
    /// The settings list others.
    pub fn check(&self, name: &str) -> Result<(), NotAllowed> {
        if self.listed.is_none() || self.contains(name) { Ok(()) } else { Err(self.refusal(name)) }
    }

    /// What is said of a model that is not among them.
    pub fn refusal(&self, name: &str) -> NotAllowed {
        NotAllowed { name: name.to_owned(), allowed: joined(self.names().into_iter()) }
    }
}

fn is_catalogued(name: &str) -> bool {
    catalogue::whisper_models().any(|known| known == name)
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use engine::config::ModelSettings;

    use super::AllowedModels;

    #[test]
    fn what_is_listed_may_be_named_and_nothing_else() {
        let of = |models: Option<&[&str]>| {
            let models = models.map(|models| models.iter().map(|model| (*model).to_owned()).collect());
            AllowedModels::of(&ModelSettings { models })
        };
        let listed = Some(&["base", " small ", "/models/own.bin"][..]);
        for (models, name, over_http, by_others) in [
            (None, "base", true, true),
            (None, "/models/own.bin", false, true),
            (Some(&[""][..]), "large-v3", true, true),
            (listed, "base", true, true),
            (listed, "small", true, true),
            (listed, "/models/own.bin", true, true),
            (listed, "/etc/passwd", false, false),
            (listed, "large-v3", false, false),
        ] {
            let allowed = of(models).unwrap();
            let given = (allowed.contains(name), allowed.check(name).is_ok());
            assert_eq!(given, (over_http, by_others), "{name} of {models:?}");
        }
        let refused = of(listed).unwrap().check("large-v3").unwrap_err().to_string();
        assert_eq!(refused, "the model large-v3 is not offered here; name one of base, small, /models/own.bin");
        let slip = of(Some(&["base", "smal"])).unwrap_err().to_string();
        assert!(slip.starts_with("LONGHAND_MODELS names \"smal\", which is no model: list names of tiny,"), "{slip}");
    }
}
