//! Where this machine gets Debian's packages from.

use std::process::Command;

use anyhow::{Context, Result};

const MAIN: &str = "http://deb.debian.org/debian";
const SECURITY: &str = "http://deb.debian.org/debian-security";

/// The address of the mirror that this machine uses for Debian itself.
///
/// # Errors
/// It uses none, as on Ubuntu.
pub(crate) fn mirror() -> Result<String> {
    let sites = sites();
    sites.into_iter().find(|site| !is_security(site)).context("no Debian mirror is configured here")
}

/// The mirrors of a release and of its security updates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mirrors {
    main: String,
    security: String,
}

impl Mirrors {
    /// Those of this machine where it has any, else Debian's own. One that wants a password counts
    /// as none: it would be written into every image.
    pub(crate) fn of_this_machine() -> Mirrors {
        let sites: Vec<String> = sites().into_iter().filter(|site| !site.contains('@')).collect();
        let chosen = |security: bool, usual: &str| {
            sites.iter().find(|site| is_security(site) == security).cloned().unwrap_or_else(|| usual.to_owned())
        };
        Mirrors { main: chosen(false, MAIN), security: chosen(true, SECURITY) }
    }

    /// Lines for apt's list of sources. Debian's next release has no updates of either kind yet.
    pub(crate) fn lines(&self, suite: &str) -> Vec<String> {
        let Mirrors { main, security } = self;
        let mut lines = vec![format!("deb {main} {suite} main")];
        if suite != "forky" {
            lines.push(format!("deb {main} {suite}-updates main"));
            lines.push(format!("deb {security} {suite}-security main"));
        }
        lines
    }
}

fn is_security(site: &str) -> bool {
    site.contains("security")
}

/// The addresses of all of Debian's mirrors that apt uses here.
fn sites() -> Vec<String> {
    let output = Command::new("apt-get").args(["indextargets", "--format", "$(SITE) $(ORIGIN)"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_suffix(" Debian")).map(str::to_owned).collect()
}
