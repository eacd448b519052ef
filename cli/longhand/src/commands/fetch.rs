//! `longhand fetch`: gets what would otherwise be downloaded when it is first needed.

mod progress;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
};

use anyhow::Context;
use clap::Args;
use confique::Config;
use engine::{
    config::{self, CacheSettings, LlmProvider, LlmSettings, TranscribeSettings},
    job::RecogniserChoice,
};
use models::{Cache, Format, catalogue};
use progress::Progress;
use serde::Serialize;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  longhand fetch                    # Temporal, and the models and the server that the settings ask for
  longhand fetch whisper-small llm
  LONGHAND_CACHE=/mnt/models longhand fetch whisper-large-v3-turbo

Each file comes from the first source that serves, is checked against a pinned SHA-256, and is fetched once.
The paths go to stdout, one a line.")]
pub(crate) struct FetchArgs {
    /// `temporal`, `llm`, `llama-server`, or `whisper-` with a model's name, such as `whisper-base`.
    /// All that the settings ask for where nothing is named
    #[arg(value_name = "NAME")]
    names: Vec<AssetName>,
    /// Print a JSON list of `{name, path}` instead
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone)]
enum AssetName {
    Temporal,
    Llm,
    LlamaServer,
    /// A model's name, or the path that the settings give.
    Whisper(String),
}

impl FromStr for AssetName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let model = name.strip_prefix("whisper-").filter(|model| catalogue::whisper(model).is_some());
        match (name, model) {
            ("temporal", _) => Ok(Self::Temporal),
            ("llm", _) => Ok(Self::Llm),
            ("llama-server", _) => Ok(Self::LlamaServer),
            (_, Some(model)) => Ok(Self::Whisper(model.to_owned())),
            (_, None) => {
                let models: Vec<String> = catalogue::whisper_models().map(|model| format!("whisper-{model}")).collect();
                Err(format!("name temporal, llm, llama-server, or one of {}", models.join(", ")))
            }
        }
    }
}

#[derive(Debug, Config)]
struct FetchSettings {
    #[config(nested)]
    cache: CacheSettings,
    #[config(nested)]
    transcribe: TranscribeSettings,
    #[config(nested)]
    llm: LlmSettings,
}

#[derive(Serialize)]
struct Fetched {
    name: String,
    path: PathBuf,
}

/// Fetches one after the other, so that the first failure is the last thing to be read.
pub(crate) async fn run(args: FetchArgs) -> anyhow::Result<ExitCode> {
    let settings: FetchSettings = config::load()?;
    let cache = Cache::of(&settings.cache);
    let names = if args.names.is_empty() { assets_of(&settings) } else { args.names };
    let mut fetched = Vec::new();
    for asset in names {
        fetched.push(fetch(asset, &settings, &cache).await?);
    }
    print(&fetched, args.json).context("cannot write to stdout")?;
    Ok(ExitCode::SUCCESS)
}

fn assets_of(settings: &FetchSettings) -> Vec<AssetName> {
    let LlmSettings { provider, model, server, .. } = &settings.llm;
    let is_local = *provider == LlmProvider::Local;
    let mut assets = vec![AssetName::Temporal, AssetName::Whisper(settings.transcribe.model.clone())];
    assets.extend((is_local && model.is_none()).then_some(AssetName::Llm));
    assets.extend((is_local && server.is_none()).then_some(AssetName::LlamaServer));
    assets
}

async fn fetch(asset: AssetName, settings: &FetchSettings, cache: &Cache) -> anyhow::Result<Fetched> {
    let name = match &asset {
        AssetName::Temporal => "temporal".to_owned(),
        AssetName::Llm => "llm".to_owned(),
        AssetName::LlamaServer => "llama-server".to_owned(),
        AssetName::Whisper(model) => format!("whisper-{model}"),
    };
    let progress = Progress::new(&name);
    let events = |event| progress.show(event);
    let path = match &asset {
        AssetName::Temporal => models::ensure(&catalogue::temporal(), cache, &events).await?,
        AssetName::Llm => models::ensure(&catalogue::llm(), cache, &events).await?,
        AssetName::LlamaServer => models::ensure(&catalogue::llama_server(), cache, &events).await?,
        AssetName::Whisper(model) => {
            let format = match settings.transcribe.recogniser {
                RecogniserChoice::Ctranslate2 => Format::Ctranslate2,
                RecogniserChoice::Auto | RecogniserChoice::Whisper => Format::Ggml(settings.transcribe.quantisation),
            };
            format.weights(model, cache, &events).await?.path
        }
    };
    Ok(Fetched { name, path })
}

fn print(fetched: &[Fetched], json: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut stdout, fetched)?;
        return writeln!(stdout);
    }
    fetched.iter().try_for_each(|fetched| writeln!(stdout, "{}", fetched.path.display()))
}
