//! A clone that has moved since it was compiled.

use crate::xtask;

#[test]
fn files_are_looked_for_where_the_clone_lies_now() {
    let clone = tempfile::tempdir().unwrap();
    let output = xtask(&["bench-speech", "--corpus", "speech"])
        .current_dir(clone.path())
        .env("CARGO_PKG_NAME", "front")
        .env("CARGO_MANIFEST_DIR", clone.path().join("xtask/front"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let missing = clone.path().join("speech/dense.flac").display().to_string();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(&missing), "{stderr}");
}
