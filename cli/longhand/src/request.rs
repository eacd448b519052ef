//! The options of a job: the flags that `transcribe` and `batch` share.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use engine::{
    job::{AUTO, AudioOptions, Channels, JobOptions, RecogniserChoice, SpeechOptions, SpeechTask, Track, Webhook},
    languages::language_code,
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
    /// Language of the speech, such as en, en-US or English, or auto to have it found wherever it changes
    #[arg(long, value_name = "CODE", default_value = AUTO, value_parser = language_or_auto)]
    language: String,
    /// Languages that may be spoken where they are found by auto, separated by commas
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = known_language, conflicts_with = "language")]
    languages: Vec<String>,
    /// Text in the spoken language, or in English
    #[arg(long, value_enum, default_value_t = SpeechTask::Transcribe)]
    task: SpeechTask,
    /// Text that leads the recogniser: names, spelling, style
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Names and terms to listen for, separated by commas, or @FILE with one to a line; those that matter most first
    #[arg(long, value_name = "TERMS", value_parser = listed_hotwords)]
    hotwords: Option<Hotwords>,
    /// Also give the time of every word
    #[arg(long)]
    words: bool,
    #[command(flatten)]
    audio: AudioFlags,
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
struct AudioFlags {
    /// What becomes of several channels: one text of all, or one for each; auto parts those of telephone calls
    #[arg(long, value_enum, default_value_t = Channels::Auto)]
    channels: Channels,
    /// Audio track to transcribe, by its number from 1 on, or all [default: the one with the most speech]
    #[arg(long, value_name = "NUMBER|all")]
    track: Option<Track>,
    /// Refuse a recording that ends early or is damaged, instead of transcribing what there is of it
    #[arg(long)]
    strict: bool,
}

/// What follows `--hotwords`, as terms.
#[derive(Debug, Clone, Default)]
struct Hotwords(Vec<String>);

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
            languages: self.languages.clone(),
            task: self.task,
            prompt: self.prompt.clone(),
            hotwords: self.hotwords.clone().unwrap_or_default().0,
            words: self.words,
        }
        .with_language_codes()?;
        let standing = self.llm.iter().copied().map(LlmTask::from);
        let options = JobOptions {
            speech,
            audio: self.audio.resolve(),
            llm: standing.chain(self.ask.resolve()?).collect(),
            webhook: self.webhook.as_ref().map(|url| Webhook { url: url.to_string() }),
        };
        if let Some(name) = options.duplicate_task() {
            bail!("--llm names {name} twice; name it once");
        }
        Ok(options)
    }
}

impl AudioFlags {
    fn resolve(&self) -> AudioOptions {
        AudioOptions { channels: self.channels, track: self.track, strict: self.strict }
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

fn listed_hotwords(terms: &str) -> anyhow::Result<Hotwords> {
    let Some(path) = terms.strip_prefix('@') else { return Ok(Hotwords(SpeechOptions::listed_hotwords(terms))) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the hotwords in {path}"))?;
    Ok(Hotwords(SpeechOptions::listed_hotwords(&text)))
}

fn language_or_auto(written: &str) -> Result<String, String> {
    if written.eq_ignore_ascii_case(AUTO) {
        return Ok(AUTO.to_owned());
    }
    known_language(written).map_err(|hint| format!("{hint}, or auto"))
}

fn known_language(written: &str) -> Result<String, String> {
    let hint = "give a code that Whisper knows, such as en, de or fr";
    language_code(written).map(str::to_owned).ok_or_else(|| hint.to_owned())
}
