//! The system packages that Longhand's tasks need.

use std::{env, path::PathBuf};

use tasks::packages::{Need, answers};

/// To build the programs and to fetch what they need.
pub(crate) const PROGRAMS: [Need; 5] = [
    Need {
        purpose: "a C and C++ compiler, with make",
        package: "build-essential",
        is_met: || answers("cc", &["--version"]) && answers("c++", &["--version"]) && answers("make", &["--version"]),
    },
    Need { purpose: "CMake", package: "cmake", is_met: || answers("cmake", &["--version"]) },
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

fn has_certificates() -> bool {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(env::var_os).map(PathBuf::from);
    let usual = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    named.chain(usual.map(PathBuf::from)).any(|place| place.exists())
}
