//! The system packages that Longhand's tasks need.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use tasks::packages::{Need, answers};

/// To build the programs and to fetch what they need.
pub(crate) const PROGRAMS: [Need; 6] = [
    Need {
        purpose: "a C and C++ compiler, with make",
        package: "build-essential",
        is_met: || answers("cc", &["--version"]) && answers("c++", &["--version"]) && answers("make", &["--version"]),
    },
    Need { purpose: "CMake", package: "cmake", is_met: || answers("cmake", &["--version"]) },
    Need { purpose: "libclang", package: "libclang-dev", is_met: || has_libclang(&libclang_folders()) },
    Need { purpose: "Python", package: "python3", is_met: || answers("python3", &["--version"]) },
    Need {
        purpose: "Python's package installer",
        package: "python3-pip",
        is_met: || answers("python3", &["-m", "pip", "--version"]),
    },
    Need { purpose: "certificates of public authorities", package: "ca-certificates", is_met: has_certificates },
];

/// To test the HTTP services with their page in a browser, with Redis, and with clients in Python.
pub(crate) const SERVICE_TESTS: [Need; 3] = [
    Need { purpose: "Redis", package: "redis-server", is_met: || answers("redis-server", &["--version"]) },
    Need { purpose: "a browser", package: "chromium", is_met: || answers("chromium", &["--version"]) },
    Need {
        purpose: "Python's virtual environments",
        package: "python3-venv",
        is_met: || answers("python3", &["-c", "import ensurepip"]),
    },
];

/// To test builds with a registry, several engines and encrypted connections, and what Prometheus is given.
pub(crate) const BUILD_TESTS: [Need; 4] = [
    Need {
        purpose: "a container registry",
        package: "docker-registry",
        is_met: || answers("docker-registry", &["--version"]),
    },
    Need { purpose: "Prometheus's checks", package: "prometheus", is_met: || answers("promtool", &["--version"]) },
    Need { purpose: "network bridges", package: "iproute2", is_met: || answers("ip", &["-Version"]) },
    Need { purpose: "certificates of one's own", package: "openssl", is_met: || answers("openssl", &["version"]) },
];

/// Where bindgen's loader looks: the variable that names it, LLVM's own folder, the system's library folders.
fn libclang_folders() -> Vec<PathBuf> {
    let named = env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    let llvm = Command::new("llvm-config").arg("--libdir").output().ok();
    let llvm = llvm.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let libraries = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"].map(PathBuf::from);
    let versions = entries(Path::new("/usr/lib"), |name| name.starts_with("llvm-"));
    let versions = versions.map(|folder| folder.join("lib"));
    let platforms = entries(Path::new("/usr/lib"), |name| name.contains("-linux-"));
    named.into_iter().chain(llvm).chain(libraries).chain(versions).chain(platforms).collect()
}

fn entries(folder: &Path, wanted: fn(&str) -> bool) -> impl Iterator<Item = PathBuf> {
    let all = folder.read_dir().into_iter().flatten().flatten();
    all.filter(move |entry| entry.file_name().to_str().is_some_and(wanted)).map(|entry| entry.path())
}

/// Distributions put a name that ends in `.so` beside the headers, which bindgen needs as well; the runtime
/// library alone has only names with a version after it.
fn has_libclang(folders: &[PathBuf]) -> bool {
    let is_libclang = |name: &str| {
        let version = name.strip_prefix("libclang").and_then(|rest| rest.strip_suffix(".so"));
        version.is_some_and(|version| version.trim_start_matches('-').chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    folders.iter().any(|folder| folder.is_file() || entries(folder, is_libclang).next().is_some())
}

fn has_certificates() -> bool {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(env::var_os).map(PathBuf::from);
    let usual = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    named.chain(usual.map(PathBuf::from)).any(|place| place.exists())
}

#[cfg(test)]
mod tests {
    use super::has_libclang;

    #[test]
    fn libclang_counts_only_with_its_headers() {
        for (file, found) in [
            ("libclang.so", true),
            ("libclang-14.so", true),
            ("libclang-3.9.so", true),
            ("libclang.so.1", false),
            ("libclang-14.so.14.0.6", false),
            ("libclang-cpp.so", false),
            ("libclang.a", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file), "").unwrap();
            assert_eq!(has_libclang(&[folder.path().join("missing"), folder.path().to_owned()]), found, "{file}");
        }
    }
}
