//! Following a job that takes long: what Ctrl-C does, and what a server that goes away does not.

use std::{
    fs::{self, File},
    io::Write,
    process::{Child, Command, ExitStatus, Stdio},
    sync::LazyLock,
};

use serde_json::{Value, json};
use test_stack::{Stack, audio::repeated_sample, wait_until};

static STACK: LazyLock<Stack> = LazyLock::new(Stack::start);

/// A command line that writes to a file what it would show.
struct Following {
    process: Child,
    shown: std::path::PathBuf,
}

impl Following {
    fn start(stack: &Stack, name: &str, command: &mut Command) -> Self {
        let shown = stack.folder().join(format!("{name}.shown"));
        let file = File::create(&shown).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file).stdin(Stdio::piped());
        Self { process: command.spawn().unwrap(), shown }
    }

    fn wait_for(&self, text: &str) {
        wait_until(&format!("{text:?} is shown"), || self.shown().contains(text));
    }

    fn shown(&self) -> String {
        fs::read_to_string(&self.shown).unwrap()
    }

    fn end(mut self) -> (ExitStatus, String) {
        let status = self.process.wait().unwrap();
        (status, self.shown())
    }
}

/// Starts a job that runs for minutes.
fn long_job(stack: &Stack, id: &str) {
    let recording = repeated_sample(900);
    // A prompt of its own keeps the checkpoints of other tests out of the way.
    stack.text(["transcribe", recording.path().to_str().unwrap(), "--prompt", id, "--id", id, "--detach"]);
}

fn status(stack: &Stack, id: &str) -> Value {
    stack.json(["show", id, "--json"])["status"].clone()
}

#[test]
fn without_a_terminal_ctrl_c_leaves_the_job_and_says_how_to_go_on() {
    long_job(&STACK, "left");
    let following = Following::start(&STACK, "left", STACK.command().args(["watch", "left"]));
    following.wait_for("left: ");
    let interrupt = Command::new("kill").args(["-INT", &following.process.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let (ended, shown) = following.end();
    assert_eq!(ended.code(), Some(130), "{shown}");
    assert!(
        shown.contains("left goes on; `longhand watch left` follows it, `longhand cancel left` stops it"),
        "{shown}"
    );
    assert_eq!(status(&STACK, "left"), "running");
    STACK.text(["cancel", "left"]);
}

#[test]
fn on_a_terminal_ctrl_c_asks() {
    for (id, answer, then) in [("kept", "n\n", "running"), ("dropped", "y\n", "cancelled")] {
        long_job(&STACK, id);
        let watch = format!("{} watch {id}", env!("CARGO_BIN_EXE_longhand"));
        // `script` gives its child a terminal, to which it passes on what it reads.
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &watch, "/dev/null"]).env("TERM", "xterm");
        command.envs(STACK.command().get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut following = Following::start(&STACK, id, &mut command);
        let mut keyboard = following.process.stdin.take().unwrap();
        following.wait_for("╌");
        keyboard.write_all(b"\x03").unwrap();
        following.wait_for("The job goes on. Cancel it? [y/N]");
        keyboard.write_all(answer.as_bytes()).unwrap();
        let (ended, shown) = following.end();
        assert_eq!(ended.code(), Some(130), "{shown}");
        STACK.wait_for(id, then, |state| state["status"] == then);
        STACK.text(["cancel", id]);
    }
}

/// The server is away for longer than its client tries by itself.
#[test]
fn a_job_is_followed_across_the_death_of_the_server() {
    let mut stack = Stack::start();
    long_job(&stack, "patient");
    let following = Following::start(&stack, "patient", stack.command().args(["watch", "patient", "--json"]));
    following.wait_for("patient: ");
    stack.kill_server();
    following.wait_for("patient: Temporal does not answer; still trying");
    stack.start_server();
    stack.text(["cancel", "patient"]);
    let (ended, shown) = following.end();
    assert_eq!(ended.code(), Some(1), "{shown}");
    let result =
        shown.find("{\n").map(|begin| serde_json::Deserializer::from_str(&shown[begin..]).into_iter::<Value>());
    let result = result.and_then(|mut documents| documents.next()).unwrap().unwrap();
    assert_eq!(result["status"], json!("cancelled"));
}
