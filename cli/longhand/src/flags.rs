//! The command line as it is typed.

use clap::{Parser, Subcommand};

use crate::commands::{
    batch::BatchArgs, cancel::CancelArgs, completions::CompletionsArgs, delete::DeleteArgs, fetch::FetchArgs,
    keys::KeysArgs, list::ListArgs, llm::LlmArgs, result::ResultArgs, show::ShowArgs, store::StoreArgs,
    transcribe::TranscribeArgs, watch::WatchArgs,
};

/// Durable speech-to-text: audio in, transcript, summary and answers out.
#[derive(Parser)]
#[command(
    name = "longhand",
    version,
    about,
    after_help = "\
Data goes to stdout, everything else to stderr. `longhand COMMAND --help` has examples.

Exit codes:
  0    done; a transcript whose LLM tasks failed counts as done, with a warning on stderr
  1    a job failed or was cancelled
  2    wrong use, or Temporal, the store or a file cannot be reached
  130  interrupted; jobs that were started go on

Environment: TEMPORAL_ADDRESS and LONGHAND_STORE name the server and the store; docs/settings.md lists all variables."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Transcribe recordings and follow the jobs to their ends
    Transcribe(TranscribeArgs),
    /// List the latest jobs
    List(ListArgs),
    /// Show where a job stands, or how it went
    Show(ShowArgs),
    /// Follow a job to its end and print what it gave
    Watch(WatchArgs),
    /// Stop jobs
    Cancel(CancelArgs),
    /// Delete jobs for good, with their recordings
    Delete(DeleteArgs),
    /// Print the result of a job that has ended
    Result(ResultArgs),
    /// Run an LLM task on a finished transcript
    Llm(LlmArgs),
    /// Transcribe all recordings of a folder or a list
    Batch(BatchArgs),
    /// Tell what takes how much in the store, and sweep it
    Store(StoreArgs),
    /// Add, list and revoke the API keys of the HTTP services
    Keys(KeysArgs),
    /// Download models, Temporal's server and llama.cpp's ahead of their first use
    Fetch(FetchArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}
