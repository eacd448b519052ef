//! The README's table of settings is the code's.

use std::{fmt::Write, path::Path};

use engine::config;

#[test]
fn the_readme_lists_every_setting() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let mut table = String::from("| variable | default | meaning |\n| --- | --- | --- |\n");
    for config::Variable { name, default, doc } in config::variables() {
        let default = default.map(|value| format!("`{value}`")).unwrap_or_default();
        writeln!(table, "| `{name}` | {default} | {doc} |").unwrap();
    }
    assert!(readme.contains(&table), "README.md lacks this table:\n{table}");
}
