//! What can be typed, and what is refused.

use crate::xtask;

#[test]
fn all_verbs_are_listed_the_image_tool_s_among_them() {
    let help = String::from_utf8(xtask(&["--help"]).output().unwrap().stdout).unwrap();
    for verb in ["demo", "bench-jobs", "setup", "build", "lint", "bench-build", "bases", "builder", "up", "doctor"] {
        assert!(help.contains(&format!("\n  {verb} ")), "{help}");
    }
}

#[test]
fn every_task_tells_its_exit_codes_and_shows_an_example() {
    for task in ["demo", "dev", "test"] {
        let help = String::from_utf8(xtask(&[task, "--help"]).output().unwrap().stdout).unwrap();
        assert!(help.contains(&format!("  cargo xtask {task}\n")), "{help}");
        assert!(help.contains("Exit codes: 0 done, 1 failed, 2 wrong use"), "{help}");
    }
}

#[test]
fn the_version_is_the_workspace_s() {
    let output = xtask(&["--version"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), concat!("cargo xtask ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn wrong_use_ends_with_2_before_anything_is_set_up() {
    for (arguments, complaint) in [
        (vec!["demmo"], "unrecognized subcommand 'demmo'"),
        (vec!["dev", "--port", "0"], "invalid value '0' for '--port <PORT>'"),
        (vec!["demo", "--audio", "no-such.flac"], "there is no recording no-such.flac: name one with --audio FILE"),
        (vec!["doctor", "--all"], "unexpected argument '--all'"),
        (vec!["demo", "--", "--json"], "unexpected argument '--json'"),
    ] {
        let output = xtask(&arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(complaint), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
