//! Other processes: where their programs are, how they are started and waited for, and ports for them.

use std::{
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        LazyLock, Mutex,
        mpsc::{self, Sender},
    },
    time::{Duration, Instant},
};

use rustix::process::{Signal, set_parent_process_death_signal};

/// How long anything may take before the test says what it waited for.
const PATIENCE: Duration = Duration::from_secs(240);

/// Waits for a condition that another process brings about.
pub fn wait_until(what: &str, mut satisfied: impl FnMut() -> bool) {
    let started = Instant::now();
    while !satisfied() {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Starts a process that dies with this one, however this one ends: a stack that all tests share is
/// never dropped. The kernel ties the process to the thread that started it, so one thread that
/// never ends starts them all.
pub fn spawn(command: Command) -> Child {
    type Order = (Command, Sender<std::io::Result<Child>>);
    static STARTER: LazyLock<Mutex<Sender<Order>>> = LazyLock::new(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in orders {
                // SAFETY: between fork and exec one system call is made, and nothing is allocated.
                unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?)) };
                answer.send(command.spawn()).unwrap();
            }
        });
        Mutex::new(sender)
    });
    let program = command.get_program().display().to_string();
    let (answer, started) = mpsc::channel();
    STARTER.lock().unwrap().send((command, answer)).unwrap();
    started.recv().unwrap().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// A port of this machine that nothing listens on, and that nobody is given for a minute who asks for any port: the
/// side that ends a connection first keeps the port from them, but not from a server that asks for this one.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let (server, _) = listener.accept().unwrap();
    drop(server);
    drop(client);
    address.port()
}

/// A program of Longhand, as cargo leaves it one folder above the tests.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(program.exists(), "{name} is not built; run the tests with `cargo xtask test`");
    program
}
