//! An engine of a test's own, with nothing in common with the machine's: it may be stopped, pruned and killed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU8, Ordering},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tasks::free_port;

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct SecondEngine {
    /// Sockets, data, certificates; outside /tmp, which may be too small or in memory.
    folder: tempfile::TempDir,
    bridge: String,
    /// `host:port` of its TCP socket.
    pub(crate) host: String,
    encrypted: bool,
    process: Option<Child>,
}

impl SecondEngine {
    /// None where none can be started; then the test says so, and fails where that is not allowed.
    pub(crate) fn start(encrypted: bool) -> Option<SecondEngine> {
        SecondEngine::start_with(serde_json::json!({}), encrypted)
    }

    /// With these in its daemon.json.
    pub(crate) fn start_with(mut settings: serde_json::Value, encrypted: bool) -> Option<SecondEngine> {
        static NUMBER: AtomicU8 = AtomicU8::new(0);
        let network = format!("10.{}.{}.1/24", 190 + std::process::id() % 60, NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::Builder::new().prefix("xt").tempdir_in("/var/tmp").unwrap();
        let bridge = folder.path().file_name().unwrap().to_string_lossy().to_lowercase().replace('.', "");
        // With none at all, a daemon would take the bridge of the machine's engine away.
        if !(ip(&["link", "add", &bridge, "type", "bridge"]) && ip(&["addr", "add", &network, "dev", &bridge])) {
            assert!(std::env::var_os("CI").is_none(), "no bridge can be made for a second engine");
            println!("skipped: no second engine can be started here");
            return None;
        }
        if encrypted {
            make_certificates(folder.path());
        }
        let host = format!("127.0.0.1:{}", free_port().unwrap());
        settings["features"] = serde_json::json!({"containerd-snapshotter": true});
        fs::write(folder.path().join("daemon.json"), settings.to_string()).unwrap();
        let mut engine = SecondEngine { folder, bridge, host, encrypted, process: None };
        engine.start_again();
        Some(engine)
    }

    /// After it was killed, or for the first time.
    pub(crate) fn start_again(&mut self) {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        fs::remove_file(at("pid")).ok();
        let log = fs::File::options().create(true).append(true).open(at("log")).unwrap();
        let mut command = Command::new("dockerd");
        for (flag, name) in
            [("--config-file", "daemon.json"), ("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")]
        {
            command.arg(flag).arg(at(name));
        }
        command.args(["--bridge", &self.bridge, "--iptables=false", "--ip6tables=false", "--ip-forward=false"]);
        command.args(["--host", &self.socket(), "--host", &format!("tcp://{}", self.host)]);
        if self.encrypted {
            command.args(["--tlsverify", "--tlscacert", &at("ca.pem"), "--tlscert", &at("server.pem")]);
            command.args(["--tlskey", &at("server-key.pem")]);
        } else {
            command.arg("--tls=false");
        }
        self.process = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while !self.docker(&["version"]).status.success() {
            let log = || fs::read_to_string(at("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "the second engine does not answer:\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Address of its local socket.
    pub(crate) fn socket(&self) -> String {
        format!("unix://{}", self.folder.path().join("socket").display())
    }

    /// Folder of a client's certificates.
    pub(crate) fn certificates(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn socket_path(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    pub(crate) fn docker(&self, arguments: &[&str]) -> Output {
        Command::new("docker").args(["--host", &self.socket()]).args(arguments).output().unwrap()
    }

    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

impl Drop for SecondEngine {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
            process.wait().unwrap();
        }
        // A killed engine leaves its containerd behind.
        let left = fs::read_to_string(self.folder.path().join("exec/containerd/containerd.pid")).ok();
        if let Some(pid) = left.and_then(|text| Pid::from_raw(text.trim().parse().ok()?)) {
            kill_process(pid, Signal::TERM).ok();
        }
        // And the mount of its data on itself, which would keep the folder from being removed.
        let data = self.folder.path().join("data");
        while Command::new("umount").arg("--lazy").arg(&data).stderr(Stdio::null()).status().unwrap().success() {}
        ip(&["link", "delete", &self.bridge]);
    }
}

fn ip(arguments: &[&str]) -> bool {
    let quiet = Command::new("ip").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// An authority of the test's own, with a server at 127.0.0.1 and a client.
fn make_certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let new_key = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("{new_key} -x509 -days 2 -subj /CN=authority -keyout ca-key.pem -out ca.pem"));
    fs::write(folder.join("server.ext"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n").unwrap();
    fs::write(folder.join("client.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    for (name, key, certificate) in [("server", "server-key.pem", "server.pem"), ("client", "key.pem", "cert.pem")] {
        openssl(&format!("{new_key} -subj /CN={name} -keyout {key} -out {name}.csr"));
        openssl(&format!(
            "x509 -req -days 2 -in {name}.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile {name}.ext \
             -out {certificate}"
        ));
    }
}
