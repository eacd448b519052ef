//! A clone that has moved since it was compiled.

use crate::tool::{stderr, tool};

#[test]
fn files_are_looked_for_where_the_clone_lies_now() {
    let clone = tempfile::tempdir().unwrap();
    let output = tool(clone.path())
        .env("CARGO_PKG_NAME", "xtask")
        .env("CARGO_MANIFEST_DIR", clone.path().join("xtask"))
        .args(["bench-speech", "--corpus", "speech"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let missing = clone.path().join("speech/dense.flac");
    assert!(stderr(&output).contains(&missing.display().to_string()), "{}", stderr(&output));
}
