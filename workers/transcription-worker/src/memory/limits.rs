//! What the kernel says of memory: of the machine, and of the control groups that this process is in.

use std::{fs, path::Path};

/// Bytes that are free for this process: of what the machine has available, or a control group's limit leaves, the least.
/// What the page cache holds counts as free, for it gives way.
pub(super) fn free(root: &Path) -> u64 {
    let machine = value(&read(root, "proc/meminfo"), "MemAvailable:").map(|kilobytes| kilobytes * 1024);
    groups(root).into_iter().chain(machine).min().unwrap_or(u64::MAX / 2)
}

/// Bytes that this process has in memory.
pub(super) fn taken(root: &Path) -> u64 {
    value(&read(root, "proc/self/status"), "VmRSS:").unwrap_or_default() * 1024
}

/// What each of the control groups leaves that has a limit, of either version.
fn groups(root: &Path) -> Vec<u64> {
    let groups = read(root, "proc/self/cgroup");
    let mut free = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let names = match controllers {
            "" => &UNIFIED,
            memory if memory.split(',').any(|controller| controller == "memory") => &MEMORY,
            _ => continue,
        };
        // A container sees its own group as the root, whatever the host calls it.
        for group in Path::new(group.trim_start_matches('/')).ancestors() {
            free.extend(names.mounts.iter().find_map(|mount| names.left(&root.join(mount).join(group))));
        }
    }
    free
}

/// Where and how a version of control groups tells of memory.
struct GroupFiles {
    mounts: &'static [&'static str],
    limit: &'static str,
    used: &'static str,
    /// Of `memory.stat`: the lists of cached files.
    cached: [&'static str; 2],
}

const UNIFIED: GroupFiles = GroupFiles {
    mounts: &["sys/fs/cgroup", "sys/fs/cgroup/unified"],
    limit: "memory.max",
    used: "memory.current",
    cached: ["active_file", "inactive_file"],
};

const MEMORY: GroupFiles = GroupFiles {
    mounts: &["sys/fs/cgroup/memory"],
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cached: ["total_active_file", "total_inactive_file"],
};

impl GroupFiles {
    /// `None` where the group is not there or has no limit.
    fn left(&self, group: &Path) -> Option<u64> {
        let limit: u64 = read(group, self.limit).trim().parse().ok()?;
        let used: u64 = read(group, self.used).trim().parse().ok()?;
        let stat = read(group, "memory.stat");
        let cached: u64 = self.cached.iter().filter_map(|name| value(&stat, name)).sum();
        Some(limit.saturating_sub(used.saturating_sub(cached)))
    }
}

/// The number that follows a name at the beginning of a line.
fn value(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next() == Some(name)).then(|| words.next())).flatten()?.parse().ok()
}

/// Empty where there is no such file: not every kernel has each of them.
fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{free, taken};

    #[test]
    fn the_tightest_limit_counts() {
        const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable: 8000 kB\n");
        const V2: (&str, &str) = ("proc/self/cgroup", "0::/\n");
        const NESTED: (&str, &str) = ("proc/self/cgroup", "9:cpu:/\n0::/outer/inner\n");
        const V1: (&str, &str) = ("proc/self/cgroup", "5:cpu:/\n4:memory:/docker/1\n0::/\n");
        for (case, files, expected) in [
            ("a machine alone", vec![MEMINFO], 8000 * 1024),
            (
                "a container",
                vec![
                    MEMINFO,
                    V2,
                    ("sys/fs/cgroup/memory.max", "5000\n"),
                    ("sys/fs/cgroup/memory.current", "3000\n"),
                    ("sys/fs/cgroup/memory.stat", "anon 1000\nactive_file 500\ninactive_file 700\n"),
                ],
                5000 - (3000 - 1200),
            ),
            (
                "no limit",
                vec![MEMINFO, V2, ("sys/fs/cgroup/memory.max", "max\n"), ("sys/fs/cgroup/memory.current", "3000\n")],
                8000 * 1024,
            ),
            (
                "a limit further up",
                vec![
                    MEMINFO,
                    NESTED,
                    ("sys/fs/cgroup/outer/inner/memory.max", "max\n"),
                    ("sys/fs/cgroup/outer/memory.max", "4000\n"),
                    ("sys/fs/cgroup/outer/memory.current", "1000\n"),
                ],
                3000,
            ),
            (
                "version 1 in a container",
                vec![
                    MEMINFO,
                    V1,
                    ("sys/fs/cgroup/memory/memory.limit_in_bytes", "6000\n"),
                    ("sys/fs/cgroup/memory/memory.usage_in_bytes", "2500\n"),
                    ("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 500\n"),
                ],
                4000,
            ),
            (
                "more is used than there may be",
                vec![MEMINFO, V2, ("sys/fs/cgroup/memory.max", "5000\n"), ("sys/fs/cgroup/memory.current", "6000\n")],
                0,
            ),
        ] {
            let root = tempfile::tempdir().unwrap();
            for (file, text) in files {
                let path = root.path().join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            assert_eq!(free(root.path()), expected, "{case}");
        }
    }

    #[test]
    fn this_machine_tells() {
        let root = std::path::Path::new("/");
        assert!((1 << 20..1 << 50).contains(&free(root)), "{}", free(root));
        assert!(taken(root) > 1 << 20);
    }
}
