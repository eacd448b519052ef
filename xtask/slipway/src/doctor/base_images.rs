//! What base images are made with where no registry answers.

use tasks::findings::{Finding, State};

use crate::bases::{PACKAGES, installed_rust};

const NEEDED_FOR: &str = "bases, build";

pub(super) fn findings() -> Vec<Finding> {
    let packages = PACKAGES.iter().map(|need| Finding::on_package(need, NEEDED_FOR, State::Advice));
    packages.chain([rust_to_copy()]).collect()
}

fn rust_to_copy() -> Finding {
    let versions = installed_rust();
    Finding {
        name: "a Rust toolchain for base images".to_owned(),
        needed_for: NEEDED_FOR.to_owned(),
        state: if versions.is_empty() { State::Advice } else { State::Ok },
        found: if versions.is_empty() { "none of rustup's".to_owned() } else { versions.join(", ") },
        remedy: "rustup toolchain install stable".to_owned(),
    }
}
