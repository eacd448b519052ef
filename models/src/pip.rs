//! Wheels through pip, which knows the machine's package index, its proxy and its credentials.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use super::refusal::Refusal;

/// The package's wheel in `folder`, downloaded unless it is there already.
pub(super) async fn wheel(package: &str, version: &str, folder: &Path) -> Result<PathBuf, Refusal> {
    if let Some(wheel) = find_wheel(package, version, folder)? {
        return Ok(wheel);
    }
    download(package, version, folder).await?;
    find_wheel(package, version, folder)?
        .ok_or_else(|| Refusal::new(format!("pip downloaded no wheel of {package} {version}")))
}

async fn download(package: &str, version: &str, folder: &Path) -> Result<(), Refusal> {
    let output = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir"])
        .args(["--no-deps", "--only-binary", ":all:", "--retries", "1", "--timeout", "10", "--dest"])
        .arg(folder)
        .arg(format!("{package}=={version}"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Refusal::new(format!("python3 cannot be run: {error}; install python3 with pip")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Refusal::new(reason(&String::from_utf8_lossy(&output.stderr))))
}

/// What pip complains of, without the listing of everything that it tried.
fn reason(complaint: &str) -> String {
    if complaint.contains("No module named pip") {
        return "this python3 has no pip; install it (python3-pip on Debian and Ubuntu)".to_owned();
    }
    let error = complaint.lines().rev().find_map(|line| line.strip_prefix("ERROR: "));
    let last = error.or_else(|| complaint.lines().next_back()).unwrap_or("no reason given");
    format!("pip failed: {last}")
}

/// A wheel's file name begins with the package's name, its dashes turned into underscores, and the version.
fn find_wheel(package: &str, version: &str, folder: &Path) -> Result<Option<PathBuf>, Refusal> {
    let start = format!("{}-{version}-", package.replace('-', "_"));
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(&start) && name.ends_with(".whl") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn the_reason_is_pips_own_last_word() {
        for (complaint, expected) in [
            (
                "/usr/bin/python3: No module named pip\n",
                "this python3 has no pip; install it (python3-pip on Debian and Ubuntu)",
            ),
            (
                "WARNING: Retrying (Retry(total=0)) after connection broken\n\
                 ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\n\
                 ERROR: No matching distribution found for x==1\n",
                "pip failed: No matching distribution found for x==1",
            ),
            (
                "Traceback\nOSError: [Errno 28] No space left on device",
                "pip failed: OSError: [Errno 28] No space left on device",
            ),
            ("", "pip failed: no reason given"),
        ] {
            assert_eq!(reason(complaint), expected);
        }
    }
}
