//! The table of settings in the documentation is the code's.

use std::{fmt::Write, path::Path};

use engine::config;

#[test]
fn the_documentation_lists_every_setting() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/settings.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut table = String::from("| variable | default | meaning |\n| --- | --- | --- |\n");
    for config::Variable { name, default, doc } in config::variables() {
        let default = default.map(|value| format!("`{value}`")).unwrap_or_default();
        writeln!(table, "| `{name}` | {default} | {doc} |").unwrap();
    }
    assert!(page.contains(&table), "docs/settings.md lacks this table:\n{table}");
}
