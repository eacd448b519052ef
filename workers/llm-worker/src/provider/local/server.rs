//! llama.cpp's HTTP server as a process of the worker's own: it listens on a socket in a private folder, where nobody
//! else can ask it, and ends with the worker.

use std::{
    ffi::OsStr,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use engine::{
    error::StageError,
    native_env::{MemoryPolicy, child_environment},
};
use reqwest::RequestBuilder;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    process::{End, Process},
    socket_folder::SocketFolder,
};
use crate::provider::chat::{ChatServer, Fault, http_client};

/// Runs the server out of the Python package's library, with `llama-server`'s options.
const RUN_LIBRARY: &str = include_str!("llama_server.py");

/// The host is there for form's sake: every request goes to the socket.
const ADDRESS: &str = "http://localhost";

/// How often a server that starts is asked whether it is ready.
const POLL: Duration = Duration::from_millis(50);

/// Weights of 100 GB come from a slow disk in this time.
const LOADED_WITHIN: Duration = Duration::from_secs(20 * 60);

/// What takes no computing is answered at once, also while the model is at work.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// No answer takes so long: who is silent for longer hangs.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30 * 60);

const SIGILL: i32 = 4;

/// What to start, and with how much of the machine.
#[derive(Debug)]
pub(super) struct Launch {
    /// A `llama-server`, or the library of the Python package xllamacpp.
    pub(super) program: PathBuf,
    /// A GGUF file.
    pub(super) model: PathBuf,
    /// Of each slot.
    pub(super) context_tokens: u32,
    /// Prompts answered at the same time.
    pub(super) slots: usize,
    pub(super) threads: usize,
}

pub(super) struct LlamaServer {
    pub(super) chat: ChatServer,
    http: reqwest::Client,
    process: Process,
    /// It goes when the server does.
    _folder: SocketFolder,
}

impl LlamaServer {
    /// Starts the server and waits until it has loaded the model, which requests call `name`.
    ///
    /// # Errors
    /// Setup where the program cannot be run or the model cannot be loaded, with what the program says of it; transient
    /// where it is killed, for want of memory most likely.
    pub(super) async fn start(launch: &Launch, name: &str) -> Result<Self, StageError> {
        let folder = SocketFolder::new().map_err(|reason| launch.not_startable(&reason))?;
        let process = Process::start(launch.command(folder.socket())).await;
        let process = process.map_err(|error| launch.not_startable(&error.to_string()))?;
        // A connection for each request: the server closes those that are idle, and may do so just when the next comes.
        let http =
            http_client().unix_socket(folder.socket()).pool_max_idle_per_host(0).timeout(ANSWERED_WITHIN).build();
        let http = http.map_err(|error| launch.not_startable(&error.to_string()))?;
        tokio::select! {
            end = process.wait() => return Err(launch.ended(&end)),
            () = loaded(&http) => {}
            () = tokio::time::sleep(LOADED_WITHIN) => return Err(launch.not_startable("it is not ready after 20 minutes")),
        }
        let chat = ChatServer::new(&format!("{ADDRESS}/v1"), None, http.clone(), name.to_owned())?;
        Ok(Self { chat, http, process, _folder: folder })
    }

    pub(super) fn has_ended(&self) -> bool {
        self.process.end().is_some()
    }

    /// Ends a server that does not answer, so that it is started again.
    pub(super) fn kill(&self) {
        self.process.kill();
    }

    /// The window of each slot: what was asked for, or less where the model was trained with less.
    pub(super) async fn context_tokens(&self) -> Result<u32, Fault> {
        #[derive(Deserialize)]
        struct Props {
            default_generation_settings: Settings,
        }
        #[derive(Deserialize)]
        struct Settings {
            n_ctx: u32,
        }
        let props: Props = told(self.http.get(format!("{ADDRESS}/props"))).await?;
        Ok(props.default_generation_settings.n_ctx)
    }

    pub(super) async fn count_tokens(&self, text: &str) -> Result<u32, Fault> {
        #[derive(Deserialize)]
        struct Tokens {
            tokens: Vec<u32>,
        }
        let request = self.http.post(format!("{ADDRESS}/tokenize")).json(&json!({ "content": text }));
        let Tokens { tokens } = told(request).await?;
        Ok(u32::try_from(tokens.len()).unwrap_or(u32::MAX))
    }
}

impl Launch {
    fn command(&self, socket: &Path) -> Command {
        let mut command = if self.program.extension() == Some(OsStr::new("so")) {
            let mut command = Command::new("python3");
            command.args(["-I", "-c", RUN_LIBRARY]).arg(&self.program);
            command
        } else {
            Command::new(&self.program)
        };
        command.arg("--model").arg(&self.model).arg("--host").arg(socket);
        command.args(["--ctx-size", &(self.context_tokens as usize * self.slots).to_string()]);
        command.args(["--parallel", &self.slots.to_string(), "--threads", &self.threads.to_string()]);
        command.env_clear().envs(child_environment(MemoryPolicy::ReturnFreedMemory));
        // Prompts that were answered would be kept, in up to 8 GB. A variable, for older programs refuse the option.
        command.env("LLAMA_ARG_CACHE_RAM", "0");
        command
    }

    fn not_startable(&self, reason: &str) -> StageError {
        StageError::setup(format!(
            "llama.cpp's server {} cannot be started: {reason}; install python3, or set LONGHAND_LLM_SERVER to a llama-server",
            self.program.display()
        ))
    }

    /// What to say of a server that ended before it was ready.
    fn ended(&self, End { status, complaint }: &End) -> StageError {
        match (status.and_then(|status| status.signal()), complaint) {
            (Some(SIGILL), _) => self.not_startable("this processor lacks instructions that it takes, such as AVX2"),
            (Some(signal), _) => StageError::transient(format!(
                "llama.cpp's server was killed by signal {signal} while it loaded {}, for want of memory most likely: lower \
                 LONGHAND_LLM_CONTEXT_TOKENS or LONGHAND_LLM_SLOTS, or use a smaller model",
                self.model.display()
            )),
            (None, complaint) => {
                let ended = || status.map_or_else(|| "it ended".to_owned(), |status| format!("it ended, {status}"));
                StageError::setup(format!(
                    "the language model {} cannot be used, says {}: {}; fetch the file again, set LONGHAND_LLM_MODEL to a \
                     chat model in GGUF, or LONGHAND_LLM_SERVER to another llama-server",
                    self.model.display(),
                    self.program.display(),
                    complaint.clone().unwrap_or_else(ended)
                ))
            }
        }
    }
}

/// Asks until the model is loaded: before it listens the server cannot be reached, and before it is ready it answers 503.
async fn loaded(http: &reqwest::Client) {
    let is_ready = || async {
        let answer = http.get(format!("{ADDRESS}/health")).timeout(TOLD_WITHIN).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    };
    while !is_ready().await {
        tokio::time::sleep(POLL).await;
    }
}

async fn told<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Fault> {
    let answer = request.timeout(TOLD_WITHIN).send().await?;
    if !answer.status().is_success() {
        return Err(Fault::status(answer).await);
    }
    Ok(answer.json().await?)
}
