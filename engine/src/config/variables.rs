//! All environment variables of all programs.

use confique::{
    Config,
    meta::{Expr, FieldKind, LeafKind, Meta},
};

use super::{
    ApiSettings, CacheSettings, HealthSettings, HousekeepingSettings, IngestSettings, IngestionApiSettings,
    JobStatusApiSettings, LinkSettings, LlmSettings, ModelSettings, RedisSettings, StoreSettings, TelemetrySettings,
    TranscribeSettings, WebhookSettings, WorkflowSettings,
};

/// Every section, for the checks and the table that need all variables at once.
const SECTIONS: [&Meta; 16] = [
    &StoreSettings::META,
    &CacheSettings::META,
    &TelemetrySettings::META,
    &HealthSettings::META,
    &WorkflowSettings::META,
    &IngestSettings::META,
    &WebhookSettings::META,
    &HousekeepingSettings::META,
    &ModelSettings::META,
    &TranscribeSettings::META,
    &LlmSettings::META,
    &ApiSettings::META,
    &IngestionApiSettings::META,
    &JobStatusApiSettings::META,
    &LinkSettings::META,
    &RedisSettings::META,
];

/// One documented environment variable.
pub struct Variable {
    pub name: &'static str,
    pub default: Option<String>,
    pub doc: String,
}

/// All variables of all programs, in the order of the sections: the table of docs/settings.md.
pub fn variables() -> impl Iterator<Item = Variable> {
    SECTIONS.into_iter().flat_map(|section| section.fields).filter_map(|field| {
        let FieldKind::Leaf { env: Some(name), kind } = field.kind else { return None };
        let default = match kind {
            LeafKind::Required { default: Some(value) } => Some(display(&value)),
            LeafKind::Required { default: None } | LeafKind::Optional => None,
        };
        let doc = field.doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        Some(Variable { name, default, doc })
    })
}

fn display(value: &Expr) -> String {
    match value {
        Expr::Str(text) => (*text).to_owned(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}
