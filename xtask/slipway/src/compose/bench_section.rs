//! What the `x-bench:` of a compose file says about measuring its builds: the one-line changes that are made to
//! sources between builds. Nothing but a bench reads it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::{
    fields::{bytes, text, texts},
    host_build::HostBuild,
    yaml::{Node, parse},
};

/// Stands in a change's new text for a number that no other build has seen.
const NUMBER: &str = "{change}";

/// A change of one file: the first occurrence of a text becomes another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SourceChange {
    /// From the top of the project on.
    pub(crate) file: PathBuf,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// A folder that the project's ignore files name, such as a build's output, in stand-in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IgnoredFolder {
    /// From the top of the project on.
    pub(crate) path: PathBuf,
    /// Bytes.
    pub(crate) size: u64,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct BenchSection {
    /// The services of the report's first table, in its order; none: all.
    pub(crate) services: Vec<String>,
    /// By service, a change of code that belongs to it alone.
    pub(crate) code: BTreeMap<String, SourceChange>,
    /// A change of code that all services share.
    pub(crate) library: Option<SourceChange>,
    /// A change after which a dependency is built anew.
    pub(crate) dependency: Option<SourceChange>,
    pub(crate) ignored: Option<IgnoredFolder>,
    /// How one builds without images.
    pub(crate) host: Option<HostBuild>,
}

impl BenchSection {
    /// # Errors
    /// Anything wrong with the section, with file and line.
    pub(crate) fn load(path: &Path) -> Result<BenchSection> {
        let root = parse(path)?;
        let mut section = BenchSection::default();
        let Some(node) = root.get("x-bench") else { return Ok(section) };
        for (key, value) in node.entries("`x-bench`")? {
            match key.text.as_str() {
                "services" => section.services = texts(value, "x-bench.services")?,
                "code" => {
                    let changes = value.entries("`x-bench.code`")?.iter();
                    section.code =
                        changes.map(|(name, node)| Ok((name.text.clone(), change(node)?))).collect::<Result<_>>()?;
                }
                "library" => section.library = Some(change(value)?),
                "dependency" => section.dependency = Some(change(value)?),
                "ignored" => section.ignored = Some(ignored(value)?),
                "host" => section.host = Some(HostBuild::read(value)?),
                other => {
                    let known = "services, code, library, dependency, ignored, host";
                    return Err(node.place_of(key).error(format!("`x-bench` knows no `{other}`; it knows {known}")));
                }
            }
        }
        Ok(section)
    }
}

impl SourceChange {
    /// The new text with a number that tells it from every other.
    pub(crate) fn numbered(&self, number: u32) -> String {
        self.to.replace(NUMBER, &number.to_string())
    }
}

fn change(node: &Node) -> Result<SourceChange> {
    let change = SourceChange {
        file: inside(node, &required(node, "file")?)?,
        from: required(node, "from")?,
        to: required(node, "to")?,
    };
    if !change.to.contains(NUMBER) {
        return Err(node.error(format!("`to` needs a {NUMBER}, for no two builds may see the same change")));
    }
    Ok(change)
}

fn ignored(node: &Node) -> Result<IgnoredFolder> {
    let size = node.get("size").ok_or_else(|| node.error("`size` is missing"))?;
    Ok(IgnoredFolder { path: inside(node, &required(node, "path")?)?, size: bytes(size, "size")? })
}

fn required(node: &Node, key: &str) -> Result<String> {
    text(node.get(key).ok_or_else(|| node.error(format!("`{key}` is missing")))?, key)
}

/// A path that leads nowhere but into the project.
fn inside(node: &Node, written: &str) -> Result<PathBuf> {
    let path = PathBuf::from(written);
    let stays = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if stays && !written.is_empty() { Ok(path) } else { Err(node.error(format!("`{written}` leaves the project"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<BenchSection> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("compose.yaml");
        std::fs::write(&path, text)?;
        BenchSection::load(&path)
    }

    #[test]
    fn a_section_is_read() {
        let change = "{file: a/b.rs, from: '\"x\"', to: '\"x {change}\"'}";
        let section = load(&format!(
            "x-bench:\n  services: [one, two]\n  code: {{one: {change}}}\n  library: {change}\n  ignored: {{path: target, size: 2m}}\n"
        ))
        .unwrap();
        assert_eq!(section.services, ["one", "two"]);
        assert_eq!(section.code["one"], section.library.clone().unwrap());
        assert_eq!(section.library.unwrap().numbered(7), "\"x 7\"");
        assert_eq!(section.ignored.unwrap().size, 2 << 20);
        assert_eq!(section.dependency, None);
        assert_eq!(load("services: {}\n").unwrap(), BenchSection::default());
    }

    #[test]
    fn a_build_on_the_host_is_filled_in() {
        let section = load(
            "x-bench:\n  host:\n    command: [make, 'O={output}']\n    each: ['{service}', '{output}/{service}.log']\n    \
             program: '{output}/bin/{service}'\n    environment: {CACHE: '{output}/cache', FAST: 1}\n",
        );
        let host = section.unwrap().host.unwrap();
        assert_eq!(host.command_line("/o", &["a", "b"]), ["make", "O=/o", "a", "/o/a.log", "b", "/o/b.log"]);
        assert_eq!(host.program("/o", "a"), "/o/bin/a");
        let environment: Vec<_> = host.environment("/o").into_iter().collect();
        assert_eq!(environment, [("CACHE", "/o/cache".to_owned()), ("FAST", "1".to_owned())]);
    }

    #[test]
    fn a_wrong_section_is_refused_with_its_line() {
        let table = [
            ("x-bench:\n  libary: {}\n", ":2: `x-bench` knows no `libary`"),
            ("x-bench:\n  library: {file: a, from: b}\n", ":2: `to` is missing"),
            ("x-bench:\n  library: {file: a, from: b, to: c}\n", ":2: `to` needs a {change}"),
            ("x-bench:\n  library: {file: ../a, from: b, to: '{change}'}\n", ":2: `../a` leaves the project"),
            ("x-bench:\n  host: {comand: make}\n", ":2: `x-bench.host` knows no `comand`"),
            ("x-bench:\n  host: {program: a}\n", ":2: `command` is missing"),
            ("x-bench:\n  host: {command: make}\n", ":2: `program` is missing"),
            ("x-bench:\n  ignored: {path: target, size: much}\n", ":2: `size` must be a number of bytes"),
        ];
        for (text, expected) in table {
            let message = load(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
