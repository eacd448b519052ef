//! The options of a job: the flags that `transcribe` and `batch` share.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use engine::{
    formats::language_name,
    job::{AUTO, JobOptions, RecogniserChoice, SpeechOptions, SpeechTask, Webhook},
    llm::{LlmTask, PresetTask, Question},
};
use url::Url;

#[derive(Debug, Clone, Args)]
pub(crate) struct RequestFlags {
    /// Model by name (tiny ... large-v3-turbo) or by the path of a ggml file or a CTranslate2 folder on the workers [default: the workers' own]
    #[arg(long)]
    model: Option<String>,
    /// Program that recognises: whisper.cpp, or CTranslate2 where the workers have it [default: the workers' own]
    #[arg(long, value_enum, default_value_t = RecogniserChoice::Auto, hide_default_value = true)]
    recogniser: RecogniserChoice,
    /// Language of the speech as Whisper's code, such as en, or auto to have it detected
    #[arg(long, value_name = "CODE", default_value = AUTO, value_parser = known_language)]
    language: String,
    /// Text in the spoken language, or in English
    #[arg(long, value_enum, default_value_t = SpeechTask::Transcribe)]
    task: SpeechTask,
    /// Text that leads the recogniser: names, spelling, style
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Also give the time of every word
    #[arg(long)]
    words: bool,
    /// LLM tasks to run on the transcript, separated by commas
    #[arg(long, value_name = "TASKS", value_enum, value_delimiter = ',')]
    llm: Vec<PresetTask>,
    #[command(flatten)]
    ask: AskFlags,
    /// Address that is told, by a signed POST, when the job has ended
    #[arg(long, value_name = "URL")]
    webhook: Option<Url>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct AskFlags {
    /// A question of your own to the LLM about the transcript
    #[arg(long, value_name = "TEXT")]
    ask: Option<String>,
    /// JSON schema that the answer to --ask has to satisfy
    #[arg(long, value_name = "FILE", requires = "ask")]
    schema: Option<PathBuf>,
}

impl RequestFlags {
    /// # Errors
    /// A task that is named twice, or a schema that cannot be read.
    pub(crate) fn resolve(&self) -> anyhow::Result<JobOptions> {
        let speech = SpeechOptions {
            model: self.model.clone(),
            recogniser: self.recogniser,
            language: self.language.clone(),
            task: self.task,
            prompt: self.prompt.clone(),
            words: self.words,
        };
        let standing = self.llm.iter().copied().map(LlmTask::from);
        let options = JobOptions {
            speech,
            llm: standing.chain(self.ask.resolve()?).collect(),
            webhook: self.webhook.as_ref().map(|url| Webhook { url: url.to_string() }),
        };
        if let Some(name) = options.duplicate_task() {
            bail!("--llm names {name} twice; name it once");
        }
        Ok(options)
    }
}

impl AskFlags {
    pub(crate) fn resolve(&self) -> anyhow::Result<Option<LlmTask>> {
        let Some(text) = &self.ask else { return Ok(None) };
        ensure!(!text.trim().is_empty(), "--ask is empty; write the question");
        let schema = self.schema.as_deref().map(read_schema).transpose()?;
        Ok(Some(LlmTask::Ask(Question { text: text.clone(), schema })))
    }
}

fn read_schema(path: &Path) -> anyhow::Result<serde_json::Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the schema {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("the schema {} is not JSON", path.display()))
}

fn known_language(code: &str) -> Result<String, String> {
    if code == AUTO || language_name(code).is_some() {
        return Ok(code.to_owned());
    }
    Err("give a code that Whisper knows, such as en, de or fr, or auto".to_owned())
}
