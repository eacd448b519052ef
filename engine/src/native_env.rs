//! How the C libraries below the recognisers and the language model wait for their threads and keep their memory. They
//! read it from the environment before `main`, so a program that wants it otherwise starts itself once more.

use std::{
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt,
    process::Command,
    thread,
};

/// How often a thread spins before it goes to sleep. Where other programs want CPU time, threads that spin for long, as
/// they do by default, take it from the very threads they wait for: chunks took six times as long. On an idle machine so
/// many spins are as fast as the default.
const SPIN_COUNT: (&str, &str) = ("GOMP_SPINCOUNT", "1000");
/// A variable with which the user has chosen how threads wait.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";
/// Bytes of a buffer that goes back to the system when it is freed. By default glibc raises this as it sees fit, and
/// keeps what it has seen: a transcription worker that had run all kinds of jobs held 431 MB, and with this 341 MB.
/// CTranslate2 takes and frees large buffers at every step, and would take 1.6 times as long with it.
const MMAP_THRESHOLD: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "1048576");
/// Arenas in which glibc keeps freed buffers. By default there are eight to a core, and each keeps the most that its
/// threads once had: a transcription worker with CTranslate2 held 636 MB, and with one to a core 596 MB, as fast.
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// What programs are found by and read files with.
const INHERITED: [&str; 6] = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ"];
/// How libraries are found, memory is kept, threads wait, and GPUs are chosen.
const INHERITED_PREFIXES: [&str; 11] =
    ["LD_", "MALLOC_", "GOMP_", "OMP_", "CUDA_", "NVIDIA_", "HIP_", "ROCR_", "HSA_", "VK_", "GGML_"];

/// What becomes of large buffers that the libraries free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryPolicy {
    /// The system gets them back: for libraries that keep what they work with.
    ReturnFreedMemory,
    /// As glibc sees fit, but in no more arenas than there are cores: for libraries that take large buffers at every
    /// step.
    KeepFreedMemory,
}

/// Starts the program again with the variables that the libraries want, save for those that the user has set. To be
/// called first, before there are threads.
pub fn reexec_with_native_env(memory: MemoryPolicy) {
    let missing = native_env(memory);
    if missing.is_empty() {
        return;
    }
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    let Ok(program) = std::env::current_exe() else { return };
    let mut command = Command::new(program);
    command.arg0(name.as_deref().unwrap_or(OsStr::new(""))).args(arguments).envs(missing);
    // It returns only where it fails, and then the program goes on as it was started: slower at worst.
    drop(command.exec());
}

/// The whole environment for a native program that a worker starts: what the libraries want and what it needs of this
/// process's. Secrets are none of its business, and it computes with models and texts of strangers.
pub fn child_environment(memory: MemoryPolicy) -> Vec<(OsString, OsString)> {
    let inherited = std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_inherited));
    let wanted = native_env(memory).into_iter().map(|(name, value)| (name.into(), value.into()));
    inherited.chain(wanted).collect()
}

fn is_inherited(name: &str) -> bool {
    INHERITED.contains(&name) || INHERITED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The variables that the libraries want, save for those that the user has set.
fn native_env(memory: MemoryPolicy) -> Vec<(&'static str, String)> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    missing_variables(memory, cores, |name| std::env::var_os(name).is_some())
}

fn missing_variables(memory: MemoryPolicy, cores: usize, is_set: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
    let owned = |(name, value): (&'static str, &str)| (name, value.to_owned());
    let memory = match memory {
        MemoryPolicy::ReturnFreedMemory => owned(MMAP_THRESHOLD),
        MemoryPolicy::KeepFreedMemory => (ARENAS, cores.to_string()),
    };
    let waiting = (!is_set(WAIT_POLICY)).then(|| owned(SPIN_COUNT));
    waiting.into_iter().chain([memory]).filter(|(name, _)| !is_set(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        MemoryPolicy::{KeepFreedMemory, ReturnFreedMemory},
        is_inherited, missing_variables,
    };

    #[test]
    fn children_get_no_secrets() {
        for (name, inherited) in [
            ("PATH", true),
            ("CUDA_VISIBLE_DEVICES", true),
            ("AWS_SECRET_ACCESS_KEY", false),
            ("TEMPORAL_API_KEY", false),
            ("LONGHAND_LLM_API_KEY", false),
            ("OPENAI_API_KEY", false),
        ] {
            assert_eq!(is_inherited(name), inherited, "{name}");
        }
    }

    #[test]
    fn what_the_user_has_set_stays() {
        let spins = ("GOMP_SPINCOUNT", "1000");
        let threshold = ("MALLOC_MMAP_THRESHOLD_", "1048576");
        let arenas = ("MALLOC_ARENA_MAX", "8");
        for (memory, set, expected) in [
            (ReturnFreedMemory, vec![], vec![spins, threshold]),
            (KeepFreedMemory, vec![], vec![spins, arenas]),
            (ReturnFreedMemory, vec!["GOMP_SPINCOUNT"], vec![threshold]),
            (ReturnFreedMemory, vec!["OMP_WAIT_POLICY"], vec![threshold]),
            (KeepFreedMemory, vec!["MALLOC_ARENA_MAX"], vec![spins]),
            (KeepFreedMemory, vec!["MALLOC_MMAP_THRESHOLD_"], vec![spins, arenas]),
            // As it is in the program that was started again.
            (ReturnFreedMemory, vec!["GOMP_SPINCOUNT", "MALLOC_MMAP_THRESHOLD_"], vec![]),
            (KeepFreedMemory, vec!["OMP_WAIT_POLICY", "MALLOC_ARENA_MAX"], vec![]),
        ] {
            let missing = missing_variables(memory, 8, |name| set.contains(&name));
            let missing: Vec<_> = missing.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(missing, expected, "{memory:?} with {set:?}");
        }
    }
}
