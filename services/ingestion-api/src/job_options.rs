//! The options of a job, taken out of a form or of JSON and checked.

use api::ApiError;
use engine::{
    formats::language_name,
    job::{AUTO, JobOptions, SpeechOptions, Webhook},
    llm::{LlmTask, PresetTask, Question},
};
use models::AllowedModels;
use url::Url;

use crate::{
    form::{Form, parse_choice, parse_json_field},
    model_names::model,
};

/// How errors name the fields: in JSON they lie deeper than in a form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BodyFormat {
    Json,
    Form,
}

impl BodyFormat {
    fn speech_field(self, field: &str) -> String {
        match self {
            Self::Json => format!("speech.{field}"),
            Self::Form => field.to_owned(),
        }
    }

    pub(crate) fn webhook_field(self) -> &'static str {
        match self {
            Self::Json => "webhook.url",
            Self::Form => "webhook",
        }
    }
}

/// The fields of a form besides the file.
pub(crate) const FORM_FIELDS: [&str; 10] =
    ["model", "language", "task", "prompt", "words", "llm", "ask", "schema", "webhook", "id"];

/// Takes the options out of a form, unchecked.
///
/// # Errors
/// 400 for a field that is not of its type.
pub(crate) fn from_form(form: &mut Form) -> Result<JobOptions, ApiError> {
    let speech = SpeechOptions {
        model: form.take("model"),
        language: form.take("language").unwrap_or_else(|| AUTO.to_owned()),
        task: form.choice("task")?.unwrap_or_default(),
        prompt: form.take("prompt"),
        words: form.flag("words")?,
        ..SpeechOptions::default()
    };
    let webhook = form.take("webhook").map(|url| Webhook { url });
    Ok(JobOptions { speech, llm: llm_tasks(form)?, webhook })
}

fn llm_tasks(form: &mut Form) -> Result<Vec<LlmTask>, ApiError> {
    let listed = form.take("llm").unwrap_or_default();
    let names = listed.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut tasks = Vec::new();
    for name in names {
        tasks.push(parse_choice::<PresetTask>(name, "llm")?.into());
    }
    let schema = form.take("schema").map(|schema| parse_json_field(&schema, "schema")).transpose()?;
    match (form.take("ask"), schema) {
        (Some(text), schema) => tasks.push(LlmTask::Ask(Question { text, schema })),
        (None, Some(_)) => return Err(ApiError::invalid("a schema needs a question: send `ask`, too").param("ask")),
        (None, None) => {}
    }
    Ok(tasks)
}

/// # Errors
/// 400 with the field that is wrong, also for a model that is not offered; 404 for one that there is not.
pub(crate) fn checked(options: JobOptions, format: BodyFormat, models: &AllowedModels) -> Result<JobOptions, ApiError> {
    for task in &options.llm {
        if matches!(task, LlmTask::Ask(question) if question.text.trim().is_empty()) {
            return Err(ApiError::invalid("the question is empty; write it").param("ask"));
        }
    }
    if let Some(name) = options.duplicate_task() {
        return Err(ApiError::invalid(format!("{name} is asked for twice; ask once")).param("llm"));
    }
    if let Some(Webhook { url }) = &options.webhook {
        check_web_address(url).map_err(|refused| refused.param(format.webhook_field()))?;
    }
    Ok(JobOptions { speech: checked_speech(options.speech, format, models)?, ..options })
}

/// # Errors
/// As [`checked`].
pub(crate) fn checked_speech(
    speech: SpeechOptions,
    format: BodyFormat,
    models: &AllowedModels,
) -> Result<SpeechOptions, ApiError> {
    let refused = |message: String, field: &str| ApiError::invalid(message).param(format.speech_field(field));
    if !speech.recogniser.is_auto() {
        let message = "the workers choose the recogniser; leave the field out";
        return Err(refused(message.to_owned(), "recogniser"));
    }
    let model = match speech.model {
        Some(name) => model(&name, models).map_err(|refused| refused.param(format.speech_field("model")))?,
        None => None,
    };
    if speech.language != AUTO && language_name(&speech.language).is_none() {
        let unknown = &speech.language;
        let message = format!("{unknown:?} is no language that Whisper knows; name a code such as en, or auto");
        return Err(refused(message, "language"));
    }
    Ok(SpeechOptions { model, ..speech })
}

/// Refuses what is no address of the web. Where it leads to is checked when it is called.
pub(crate) fn check_web_address(url: &str) -> Result<(), ApiError> {
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(()),
        Ok(parsed) => {
            Err(ApiError::invalid(format!("{} addresses are not fetched; give one of http or https", parsed.scheme())))
        }
        Err(error) => Err(ApiError::invalid(format!("this is no address: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use api::parse_json;
    use engine::{
        config::ModelSettings,
        job::{JobOptions, SpeechOptions, SpeechTask, Webhook},
        llm::LlmTask,
    };

    use models::AllowedModels;

    use super::{BodyFormat, check_web_address, checked, checked_speech};

    fn models(listed: Option<&str>) -> AllowedModels {
        AllowedModels::of(&ModelSettings { models: listed.map(|name| vec![name.to_owned()]) }).unwrap()
    }

    #[test]
    fn options_in_json_reach_the_engine() {
        let speech: SpeechOptions =
            parse_json(br#"{"model":"whisper-1","language":"de","task":"translate","prompt":"Pfannkuchen"}"#).unwrap();
        let llm: Vec<LlmTask> =
            parse_json(br#"["summary",{"ask":{"text":"Who?","schema":{"type":"string"}}}]"#).unwrap();
        let webhook: Webhook = parse_json(br#"{"url":"https://example.org/done"}"#).unwrap();
        let options =
            checked(JobOptions { speech, llm, webhook: Some(webhook) }, BodyFormat::Json, &models(None)).unwrap();
        assert_eq!(options.speech.model, None);
        assert_eq!(options.speech.language, "de");
        assert_eq!(options.speech.task, SpeechTask::Translate);
        assert_eq!(options.llm.iter().map(LlmTask::name).collect::<Vec<_>>(), ["summary", "ask"]);
        assert_eq!(options.webhook.unwrap().url, "https://example.org/done");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let models = models(Some("base"));
        let check = |json: &str, format: BodyFormat, status: u16, param: &str| {
            let speech = parse_json::<SpeechOptions>(json.as_bytes());
            let refused = speech.and_then(|speech| checked_speech(speech, format, &models)).unwrap_err();
            assert_eq!((refused.status().as_u16(), refused.param_named().as_deref()), (status, Some(param)), "{json}");
        };
        check(r#"{"model":"gpt-9"}"#, BodyFormat::Json, 404, "speech.model");
        check(r#"{"model":"/etc/passwd"}"#, BodyFormat::Form, 404, "model");
        check(r#"{"model":"large-v3"}"#, BodyFormat::Json, 400, "speech.model");
        check(r#"{"language":"xx"}"#, BodyFormat::Json, 400, "speech.language");
        check(r#"{"language":"english"}"#, BodyFormat::Form, 400, "language");
        check(r#"{"task":"sing"}"#, BodyFormat::Json, 400, "task");
        check(r#"{"recogniser":"whisper"}"#, BodyFormat::Json, 400, "speech.recogniser");
        let twice = JobOptions { llm: vec![LlmTask::Summary, LlmTask::Summary], ..JobOptions::default() };
        assert_eq!(checked(twice, BodyFormat::Json, &models).unwrap_err().status(), 400);
    }

    #[test]
    fn only_addresses_of_the_web_are_taken() {
        for (url, good) in [
            ("https://example.org/a.mp3", true),
            ("HTTP://example.org", true),
            ("file:///etc/passwd", false),
            ("gopher://example.org", false),
            ("ftp://example.org/a.mp3", false),
            ("example.org/a.mp3", false),
            ("http://", false),
            ("", false),
        ] {
            assert_eq!(check_web_address(url).is_ok(), good, "{url}");
        }
    }
}
