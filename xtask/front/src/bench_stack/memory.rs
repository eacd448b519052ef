//! The most memory that each child of this process has held, as the kernel counted it.

use std::{collections::BTreeMap, fs};

/// Peak resident megabytes by the program's name.
pub(crate) fn peaks() -> anyhow::Result<BTreeMap<String, u64>> {
    let parent = format!("{}", std::process::id());
    let mut peaks = BTreeMap::new();
    for process in fs::read_dir("/proc")?.flatten() {
        // A process that ends meanwhile is of no interest.
        let Ok(status) = fs::read_to_string(process.path().join("status")) else { continue };
        if field(&status, "PPid:") != Some(&parent) {
            continue;
        }
        let program = fs::read_link(process.path().join("exe")).unwrap_or_default();
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kilobytes: u64 = field(&status, "VmHWM:").and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or_default();
        peaks.insert(name, kilobytes / 1024);
    }
    Ok(peaks)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()
}
