//! llama.cpp's HTTP server as a process of the worker's own: it listens on a socket in a private folder, where nobody
//! else can ask it, and ends with the worker.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use engine::{
    error::StageError,
    native_env::{MemoryPolicy, native_env},
};
use rustix::process::{Signal, set_parent_process_death_signal};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

use crate::provider::chat::{ChatServer, Fault, http_client};

/// Runs the server out of the Python package's library, with `llama-server`'s options.
const RUN_LIBRARY: &str = include_str!("llama_server.py");

/// The host is there for form's sake: every request goes to the socket.
const ADDRESS: &str = "http://localhost";

/// How often a server that starts is asked whether it is ready.
const POLL: Duration = Duration::from_millis(50);

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
    process: Mutex<Child>,
    /// Where the socket is; it goes when the server does.
    _folder: TempDir,
}

impl LlamaServer {
    /// Starts the server and waits until it has loaded the model, which requests call `name`.
    ///
    /// # Errors
    /// Setup where the program cannot be run or the model cannot be loaded, with what the program says of it.
    pub(super) async fn start(launch: &Launch, name: &str) -> Result<Self, StageError> {
        let folder = tempfile::Builder::new().prefix("longhand-llm-").tempdir();
        let folder = folder.map_err(|error| launch.failed(&format!("no folder for its socket ({error})")))?;
        let socket = folder.path().join("llama.sock");
        let mut process = launch.command(&socket).spawn().map_err(|error| launch.failed(&error.to_string()))?;
        let log = process.stderr.take().map(|stderr| tokio::spawn(pass_on(stderr)));
        // A connection for each request: the server closes those that are idle, and may do so just when the next comes.
        let http = http_client().unix_socket(socket).pool_max_idle_per_host(0).build();
        let http = http.map_err(|error| launch.failed(&error.to_string()))?;
        if let Err(ended) = wait_until_ready(&http, &mut process).await {
            let complaint = match log {
                Some(log) => log.await.ok().flatten(),
                None => None,
            };
            return Err(launch.unusable(&complaint.unwrap_or(ended)));
        }
        let chat = ChatServer::new(&format!("{ADDRESS}/v1"), None, http.clone(), name.to_owned())?;
        Ok(Self { chat, http, process: Mutex::new(process), _folder: folder })
    }

    /// How the server ended, if it did.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).try_wait().ok().flatten()
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
        let answer = self.http.get(format!("{ADDRESS}/props")).send().await?.error_for_status()?;
        let props: Props = answer.json().await?;
        Ok(props.default_generation_settings.n_ctx)
    }

    pub(super) async fn count_tokens(&self, text: &str) -> Result<u32, Fault> {
        #[derive(Deserialize)]
        struct Tokens {
            tokens: Vec<u32>,
        }
        let request = self.http.post(format!("{ADDRESS}/tokenize")).json(&json!({ "content": text }));
        let Tokens { tokens } = request.send().await?.error_for_status()?.json().await?;
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
        // Prompts that were answered would be kept, in up to 8 GB. A variable, for older programs refuse the option.
        command.env("LLAMA_ARG_CACHE_RAM", "0");
        command.envs(native_env(MemoryPolicy::ReturnFreedMemory));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        end_with_worker(&mut command);
        command
    }

    fn failed(&self, reason: &str) -> StageError {
        StageError::setup(format!(
            "llama.cpp's server {} cannot be started: {reason}; install python3, or set LONGHAND_LLM_SERVER to a llama-server",
            self.program.display()
        ))
    }

    fn unusable(&self, reason: &str) -> StageError {
        StageError::setup(format!(
            "the language model {} cannot be used: {} says: {reason}; fetch the file again, set LONGHAND_LLM_MODEL to a \
             chat model in GGUF, or LONGHAND_LLM_SERVER to another llama-server",
            self.model.display(),
            self.program.display()
        ))
    }
}

/// Ctrl-C and a service manager's signals are for the worker, which ends the server when it has no more use for it.
fn end_with_worker(command: &mut Command) {
    command.kill_on_drop(true).process_group(0);
    // SAFETY: between fork and exec one system call is made, and nothing is allocated.
    unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?)) };
}

/// Asks until the model is loaded. The error is how the process ended before that.
async fn wait_until_ready(http: &reqwest::Client, process: &mut Child) -> Result<(), String> {
    loop {
        tokio::select! {
            ended = process.wait() => {
                return Err(ended.map_or_else(|error| error.to_string(), |status| format!("ended, {status}")));
            }
            () = tokio::time::sleep(POLL) => {}
        }
        // Before it listens it cannot be reached, and before the model is loaded it answers 503.
        if http.get(format!("{ADDRESS}/health")).send().await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
    }
}

/// Logs what the server says until it ends, and gives the first error: the later ones are its consequences.
async fn pass_on(output: impl AsyncRead + Unpin) -> Option<String> {
    let mut error = None;
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::debug!(target: "llama.cpp", "{line}");
        if line.to_lowercase().contains("error") {
            error.get_or_insert(line);
        }
    }
    error
}
