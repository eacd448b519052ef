//! What can be asked of a recording, as it comes in over HTTP, and how it becomes a request of the engine's.

use api::{ApiError, parse_json};
use engine::{
    formats::language_name,
    ids::JobId,
    job::{AUTO, JobRequest, Source, SpeechOptions, SpeechTask, Webhook},
    llm::{LlmTask, Question},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use utoipa::ToSchema;

use crate::{form::Form, models::model};

/// How to recognise the speech.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Speech {
    /// As GET /v1/models lists them. Default: the workers' own.
    pub(crate) model: Option<String>,
    /// Whisper's code, such as `en`, or `auto`. Default: `auto`.
    pub(crate) language: Option<String>,
    /// Text in the spoken language, or in English.
    pub(crate) task: Task,
    /// Text that leads the recogniser: names, spelling, style.
    pub(crate) prompt: Option<String>,
    /// Also give the time of every word.
    pub(crate) words: bool,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    #[default]
    Transcribe,
    Translate,
}

/// Work for the language model.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Llm {
    Summary,
    Chapters,
    Actions,
    Ask(Ask),
}

/// A question about the transcript.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    text: String,
    /// JSON schema that the answer has to satisfy.
    schema: Option<Value>,
}

/// Who is told when the job has ended.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hook {
    /// An http or https address that takes a POST.
    url: String,
}

/// Everything that is asked but the recording itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) speech: Speech,
    pub(crate) llm: Vec<Llm>,
    pub(crate) webhook: Option<Hook>,
}

/// How errors name the fields: in JSON they lie deeper than in a form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Json,
    Form,
}

impl Shape {
    fn speech(self, field: &str) -> String {
        match self {
            Self::Json => format!("speech.{field}"),
            Self::Form => field.to_owned(),
        }
    }

    fn webhook(self) -> &'static str {
        match self {
            Self::Json => "webhook.url",
            Self::Form => "webhook",
        }
    }
}

/// The fields of a form besides the file.
pub(crate) const FIELDS: [&str; 10] =
    ["model", "language", "task", "prompt", "words", "llm", "ask", "schema", "webhook", "id"];

impl Asked {
    /// Takes it out of a form.
    pub(crate) fn of_form(form: &mut Form) -> Result<Self, ApiError> {
        let speech = Speech {
            model: form.take("model"),
            language: form.take("language"),
            task: form.take("task").map(|task| named(&task, "task")).transpose()?.unwrap_or_default(),
            prompt: form.take("prompt"),
            words: flag(form, "words")?,
        };
        let listed = form.take("llm").unwrap_or_default();
        let names = listed.split(',').map(str::trim).filter(|name| !name.is_empty());
        let mut llm = names.map(|name| named(name, "llm")).collect::<Result<Vec<Llm>, _>>()?;
        let schema = form.take("schema").map(|schema| json(&schema, "schema")).transpose()?;
        match (form.take("ask"), schema) {
            (Some(text), schema) => llm.push(Llm::Ask(Ask { text, schema })),
            (None, Some(_)) => return Err(ApiError::invalid("a schema needs a question: send `ask`, too").param("ask")),
            (None, None) => {}
        }
        Ok(Self { speech, llm, webhook: form.take("webhook").map(|url| Hook { url }) })
    }

    /// Checks everything once, and gives the request for one source after the other.
    ///
    /// # Errors
    /// 400 with the field that is wrong.
    pub(crate) fn resolve(self, shape: Shape) -> Result<impl Fn(Source) -> JobRequest + use<>, ApiError> {
        let speech = self.speech.resolve(shape)?;
        let mut llm: Vec<LlmTask> = Vec::new();
        for task in self.llm {
            let task = task.resolve()?;
            if llm.iter().any(|other| other.name() == task.name()) {
                return Err(ApiError::invalid(format!("{} is asked for twice; ask once", task.name())).param("llm"));
            }
            llm.push(task);
        }
        let webhook = self.webhook.map(|hook| hook.resolve(shape)).transpose()?;
        Ok(move |source| JobRequest { source, speech: speech.clone(), llm: llm.clone(), webhook: webhook.clone() })
    }
}

impl Speech {
    pub(crate) fn resolve(self, shape: Shape) -> Result<SpeechOptions, ApiError> {
        let model = match self.model {
            Some(name) => model(&name).map_err(|refused| refused.param(shape.speech("model")))?,
            None => None,
        };
        let language = self.language.unwrap_or_else(|| AUTO.to_owned());
        if language != AUTO && language_name(&language).is_none() {
            let message = format!("{language:?} is no language that Whisper knows; name a code such as en, or auto");
            return Err(ApiError::invalid(message).param(shape.speech("language")));
        }
        let task = match self.task {
            Task::Transcribe => SpeechTask::Transcribe,
            Task::Translate => SpeechTask::Translate,
        };
        Ok(SpeechOptions { model, language, task, prompt: self.prompt, words: self.words, ..SpeechOptions::default() })
    }
}

impl Llm {
    fn resolve(self) -> Result<LlmTask, ApiError> {
        Ok(match self {
            Self::Summary => LlmTask::Summary,
            Self::Chapters => LlmTask::Chapters,
            Self::Actions => LlmTask::Actions,
            Self::Ask(Ask { text, .. }) if text.trim().is_empty() => {
                return Err(ApiError::invalid("the question is empty; write it").param("ask"));
            }
            Self::Ask(Ask { text, schema }) => LlmTask::Ask(Question { text, schema }),
        })
    }
}

impl Hook {
    fn resolve(self, shape: Shape) -> Result<Webhook, ApiError> {
        web_address(&self.url).map_err(|refused| refused.param(shape.webhook()))?;
        Ok(Webhook { url: self.url })
    }
}

/// Refuses what is no address of the web. Where it leads to is checked when it is called.
pub(crate) fn web_address(url: &str) -> Result<(), ApiError> {
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(()),
        Ok(parsed) => {
            Err(ApiError::invalid(format!("{} addresses are not fetched; give one of http or https", parsed.scheme())))
        }
        Err(error) => Err(ApiError::invalid(format!("this is no address: {error}"))),
    }
}

/// The job's name: the client's own, that of its idempotency key, or a new one.
pub(crate) fn job_id(named: Option<JobId>, of_key: Option<JobId>) -> Result<JobId, ApiError> {
    match (named, of_key) {
        (Some(_), Some(_)) => {
            Err(ApiError::invalid("send the field id or the header Idempotency-Key, not both").param("id"))
        }
        (named, of_key) => Ok(named.or(of_key).unwrap_or_else(JobId::new)),
    }
}

/// A field of a form that is true or false.
pub(crate) fn flag(form: &mut Form, name: &str) -> Result<bool, ApiError> {
    match form.take(name).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ApiError::invalid(format!("{name} is true or false")).param(name)),
    }
}

/// A name out of a list that serde knows.
pub(crate) fn named<'de, T: Deserialize<'de>>(name: &'de str, param: &str) -> Result<T, ApiError> {
    let name = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(name);
    T::deserialize(name).map_err(|error| ApiError::invalid(format!("{param}: {error}")).param(param))
}

fn json(text: &str, param: &str) -> Result<Value, ApiError> {
    parse_json(text.as_bytes()).map_err(|refused| refused.param(param))
}

#[cfg(test)]
mod tests {
    use api::parse_json;
    use engine::{
        job::{Source, SpeechTask},
        llm::LlmTask,
    };

    use super::{Asked, Hook, Llm, Shape, Speech, job_id, named, web_address};

    #[test]
    fn what_is_asked_in_json_reaches_the_engine() {
        let speech: Speech =
            parse_json(br#"{"model":"whisper-1","language":"de","task":"translate","prompt":"Pfannkuchen"}"#).unwrap();
        let llm: Vec<Llm> = parse_json(br#"["summary",{"ask":{"text":"Who?","schema":{"type":"string"}}}]"#).unwrap();
        let webhook: Hook = parse_json(br#"{"url":"https://example.org/done"}"#).unwrap();
        let request = Asked { speech, llm, webhook: Some(webhook) }.resolve(Shape::Json).unwrap();
        let request = request(Source::Url("https://example.org/a.mp3".to_owned()));
        assert_eq!(request.speech.model, None);
        assert_eq!(request.speech.language, "de");
        assert_eq!(request.speech.task, SpeechTask::Translate);
        assert_eq!(request.llm.iter().map(LlmTask::name).collect::<Vec<_>>(), ["summary", "ask"]);
        assert_eq!(request.webhook.unwrap().url, "https://example.org/done");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let speech = |json: &str| parse_json::<Speech>(json.as_bytes());
        let check = |json: &str, shape: Shape, status: u16, param: &str| {
            let refused = speech(json).and_then(|speech| speech.resolve(shape)).unwrap_err();
            assert_eq!(
                (refused.status().as_u16(), refused.body().error.param.as_deref()),
                (status, Some(param)),
                "{json}"
            );
        };
        check(r#"{"model":"gpt-9"}"#, Shape::Json, 404, "speech.model");
        check(r#"{"model":"/etc/passwd"}"#, Shape::Form, 404, "model");
        check(r#"{"language":"xx"}"#, Shape::Json, 400, "speech.language");
        check(r#"{"language":"english"}"#, Shape::Form, 400, "language");
        check(r#"{"task":"sing"}"#, Shape::Json, 400, "task");
        let twice = Asked { llm: vec![Llm::Summary, Llm::Summary], ..Asked::default() };
        assert_eq!(twice.resolve(Shape::Json).err().unwrap().status(), 400);
        assert!(named::<Llm>("poem", "llm").is_err());
        let id = Some("a".parse().unwrap());
        assert!(job_id(id.clone(), id.clone()).is_err());
        assert_eq!(job_id(None, id.clone()).ok(), id);
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
            assert_eq!(web_address(url).is_ok(), good, "{url}");
        }
    }
}
