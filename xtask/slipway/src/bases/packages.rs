//! The system packages that base images are made with.

use std::path::Path;

use tasks::packages::{Need, answers};

pub(crate) const PACKAGES: [Need; 2] = [
    Need {
        purpose: "mmdebstrap, which makes base images",
        package: "mmdebstrap",
        is_met: || answers("mmdebstrap", &["--version"]),
    },
    Need {
        purpose: "the keys of Debian's archives",
        package: "debian-archive-keyring",
        is_met: || Path::new("/usr/share/keyrings/debian-archive-keyring.gpg").is_file(),
    },
];
