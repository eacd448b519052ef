//! The modules of every crate depend on each other one way: those of one parent, at every level. A module and its parent
//! may know each other. What a parent hands on under its own name counts as the parent's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::{module_paths::module_paths, root, sources};

type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// A file of a crate, by the names that lead to it from the crate's root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Module {
    package: String,
    path: Vec<String>,
}

#[test]
fn modules_depend_on_their_siblings_one_way() {
    let siblings = siblings();
    assert!(siblings.len() > 20, "the modules were not found: {siblings:?}");
    let cycles =
        siblings.iter().filter_map(|(parent, dependencies)| Some(format!("{parent}: {}", cycle(dependencies)?)));
    let cycles: Vec<String> = cycles.collect();
    assert!(cycles.is_empty(), "{cycles:#?}");
}

#[test]
fn a_path_leads_to_the_sibling_that_it_goes_through() {
    let modules: BTreeSet<Module> = ["a", "a::x", "a::y", "b", "b::x"].map(module).into();
    for (from, path, expected) in [
        ("a", "crate::b::Item", Some(("", "a", "b"))),
        ("a::x", "crate::b::x", Some(("", "a", "b"))),
        ("a::x", "super::y::Item", Some(("a", "x", "y"))),
        ("a::x", "super::super::b", Some(("", "a", "b"))),
        ("a::x", "crate::a::y", Some(("a", "x", "y"))),
        // The parent's, the module's own, and its child.
        ("a::x", "super::Item", None),
        ("a", "crate::a::Item", None),
        ("a", "crate::a::x", None),
    ] {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        let expected = expected.map(|(parent, from, to)| [parent, from, to].map(str::to_owned));
        assert_eq!(dependency(&module(from), &path, &modules), expected, "{from}: {path:?}");
    }
}

#[test]
fn cycles_of_every_length_are_found() {
    let dependencies = |edges: &[(&str, &str)]| {
        let mut all = Dependencies::new();
        for (from, to) in edges {
            all.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        all
    };
    assert_eq!(cycle(&dependencies(&[("a", "b"), ("a", "c"), ("b", "c")])), None);
    assert_eq!(cycle(&dependencies(&[("a", "b"), ("b", "c"), ("c", "b")])).as_deref(), Some("b -> c -> b"));
}

/// Which of its children depend on which, by the parent. Tests may look anywhere.
fn siblings() -> BTreeMap<String, Dependencies> {
    let files = sources().into_iter().filter(|file| !file.ends_with("/tests.rs"));
    let files: Vec<(String, Module)> = files.map(|file| (file.clone(), Module::of(&file))).collect();
    let modules: BTreeSet<Module> = files.iter().map(|(_, module)| module.clone()).collect();
    let mut siblings: BTreeMap<String, Dependencies> = BTreeMap::new();
    for (file, module) in &files {
        let text = fs::read_to_string(root().join(file)).unwrap();
        for path in module_paths(&text) {
            if let Some([parent, from, to]) = dependency(module, &path, &modules) {
                let parent = format!("{} {parent}", module.package);
                siblings.entry(parent).or_default().entry(from).or_default().insert(to);
            }
        }
    }
    siblings
}

impl Module {
    fn of(file: &str) -> Self {
        let (package, file) = file.split_once("/src/").unwrap();
        let path = match file.trim_end_matches(".rs") {
            "lib" | "main" => Vec::new(),
            path => path.split('/').map(str::to_owned).collect(),
        };
        Self { package: package.to_owned(), path }
    }

    /// A path that the module's text names, from the crate's root on.
    fn resolve(&self, path: &[String]) -> Vec<String> {
        let above = path.iter().take_while(|name| *name == "super").count();
        match path.first().map(String::as_str) {
            Some("crate") => path[1..].to_vec(),
            _ => [&self.path[..self.path.len().saturating_sub(above)], &path[above..]].concat(),
        }
    }
}

/// The parent of both, the child of it that names the path, and the one that the path goes through.
fn dependency(from: &Module, path: &[String], modules: &BTreeSet<Module>) -> Option<[String; 3]> {
    let to = from.resolve(path);
    let shared = from.path.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let sibling = Module { package: from.package.clone(), path: to.get(..=shared)?.to_vec() };
    let child = from.path.get(shared)?;
    modules.contains(&sibling).then(|| [to[..shared].join("::"), child.clone(), to[shared].clone()])
}

/// A cycle as text, if there is one.
fn cycle(dependencies: &Dependencies) -> Option<String> {
    let mut finished = BTreeSet::new();
    dependencies.keys().find_map(|start| cycle_from(start, &mut Vec::new(), &mut finished, dependencies))
}

fn cycle_from(
    module: &str,
    path: &mut Vec<String>,
    finished: &mut BTreeSet<String>,
    dependencies: &Dependencies,
) -> Option<String> {
    if let Some(start) = path.iter().position(|seen| seen == module) {
        let members = path[start..].iter().map(String::as_str).chain([module]);
        return Some(members.collect::<Vec<_>>().join(" -> "));
    }
    if !finished.contains(module) {
        path.push(module.to_owned());
        let mut used = dependencies.get(module).into_iter().flatten();
        let found = used.find_map(|used| cycle_from(used, path, finished, dependencies));
        if found.is_some() {
            return found;
        }
        path.pop();
        finished.insert(module.to_owned());
    }
    None
}

fn module(path: &str) -> Module {
    Module::of(&format!("package/src/{}.rs", path.replace("::", "/")))
}
