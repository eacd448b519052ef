//! A compose project: its files merged, and the services of it that have something to build.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use super::{
    build_section::{BuildSection, NamedContext, Surroundings},
    env_file,
    extends::{read, resolve_all},
    fields::{text, texts},
    merge::merge,
    paths::clean,
    variables::Variables,
    yaml::{Node, Place},
};

/// The files that are looked for where none is named; the first that exists counts.
const USUAL_FILES: [&str; 5] =
    ["compose/compose.yaml", "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// What to read, and in which surroundings.
#[derive(Debug, Default)]
pub(crate) struct ProjectRequest {
    /// Later files are laid over earlier ones. None: the usual names in `folder`.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) env_files: Vec<PathBuf>,
    pub(crate) profiles: Vec<String>,
    pub(crate) name: Option<String>,
    /// The services wanted; none: every one that the profiles enable.
    pub(crate) services: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) folder: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) name: String,
    /// What paths are relative to.
    pub(crate) folder: PathBuf,
    /// Services to build, those that others are built on included.
    pub(crate) services: Vec<Service>,
    /// Variables that were used, have no default, and are not set.
    pub(crate) unset_variables: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// The name under which the engine keeps the image.
    pub(crate) image: String,
    pub(crate) build: BuildSection,
    /// Where the keys of the build section stand.
    pub(crate) places: BTreeMap<String, Place>,
}

impl Project {
    /// Reads a project.
    ///
    /// # Errors
    /// Anything wrong with a file, with the file's name and the line.
    pub(crate) fn load(request: &ProjectRequest) -> Result<Project> {
        let files = files_of(request)?;
        let folder = files[0].parent().unwrap_or(&request.folder).to_owned();
        let variables = env_file::load(&request.environment, &request.env_files, &folder)?;
        let mut merged: Option<Node> = None;
        for path in &files {
            let mut file = read(path, &folder, &variables)?;
            resolve_all(&mut file, &folder, &variables)?;
            merged = Some(match merged {
                None => file,
                Some(below) => merge(below, file),
            });
        }
        let root = merged.context("no compose file was read")?;
        let name = project_name(request, &root, &variables, &folder)?;
        let services = Services { root: &root, project: &name, folder: &folder, variables: &variables };
        let services = services.wanted(request)?;
        Ok(Project { name, folder: folder.clone(), services, unset_variables: variables.take_unset() })
    }
}

/// The files of a request: those that it names, else those of `COMPOSE_FILE`, else the usual ones in its folder.
///
/// # Errors
/// There are none.
pub(crate) fn files_of(request: &ProjectRequest) -> Result<Vec<PathBuf>> {
    let named = if request.files.is_empty() {
        let listed = request.environment.get("COMPOSE_FILE").map(String::as_str).unwrap_or_default();
        listed.split(':').filter(|name| !name.is_empty()).map(PathBuf::from).collect()
    } else {
        request.files.clone()
    };
    if !named.is_empty() {
        return Ok(named.iter().map(|file| clean(&request.folder.join(file))).collect());
    }
    let found = USUAL_FILES.iter().map(|name| request.folder.join(name)).find(|path| path.is_file());
    let Some(found) = found else {
        bail!("no compose file in {}; name one with -f FILE", request.folder.display());
    };
    let stem = found.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let over = ["yaml", "yml"].map(|ending| found.with_file_name(format!("{stem}.override.{ending}")));
    Ok([found].into_iter().chain(over.into_iter().find(|path| path.is_file())).collect())
}

fn project_name(request: &ProjectRequest, root: &Node, variables: &Variables, folder: &Path) -> Result<String> {
    if let Some(name) = &request.name {
        return Ok(name.clone());
    }
    if let Some(name) = variables.get("COMPOSE_PROJECT_NAME") {
        return Ok(name.to_owned());
    }
    if let Some(name) = root.get("name") {
        return text(name, "name");
    }
    let folder_name = folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let allowed = |character: &char| character.is_ascii_alphanumeric() || "-_".contains(*character);
    let name: String = folder_name.chars().filter(allowed).collect();
    let name = name.trim_start_matches(['-', '_']);
    if name.is_empty() {
        bail!("the folder {} gives the project no name; name it with --project-name", folder.display());
    }
    Ok(name.to_owned())
}

struct Services<'a> {
    root: &'a Node,
    project: &'a str,
    folder: &'a Path,
    variables: &'a Variables,
}

impl Services<'_> {
    fn wanted(&self, request: &ProjectRequest) -> Result<Vec<Service>> {
        let mut open = self.chosen_names(request)?;
        let mut seen = BTreeSet::new();
        let mut services = Vec::new();
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let service = self.read(&name)?;
            open.extend(service.build.additional_contexts.values().filter_map(|context| match context {
                NamedContext::Service(other) => Some(other.clone()),
                _ => None,
            }));
            services.push(service);
        }
        services.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(services)
    }

    fn chosen_names(&self, request: &ProjectRequest) -> Result<Vec<String>> {
        if !request.services.is_empty() {
            return Ok(request.services.clone());
        }
        let profiles = self.enabled_profiles(request);
        let mut names = Vec::new();
        for (name, service) in self.all()?.entries("`services`")? {
            if service.get("build").is_some() && is_enabled(service, &profiles)? {
                names.push(name.text.clone());
            }
        }
        if names.is_empty() {
            bail!(self.root.error("no service of this project has a `build` section that is enabled"));
        }
        Ok(names)
    }

    fn enabled_profiles(&self, request: &ProjectRequest) -> Vec<String> {
        if !request.profiles.is_empty() {
            return request.profiles.clone();
        }
        let listed = self.variables.get("COMPOSE_PROFILES").unwrap_or_default();
        listed.split(',').map(|name| name.trim().to_owned()).collect()
    }

    fn all(&self) -> Result<&Node> {
        self.root.get("services").ok_or_else(|| self.root.error("this file has no `services`"))
    }

    fn read(&self, name: &str) -> Result<Service> {
        let service = self.all()?.get(name).ok_or_else(|| self.unknown(name))?;
        let build = service
            .get("build")
            .ok_or_else(|| service.error(format!("the service `{name}` has no `build` section")))?;
        let around = Surroundings { folder: self.folder, variables: self.variables, secrets: self.root.get("secrets") };
        let mut section = BuildSection::read(build, &around)?;
        if let Some(platform) = service.get("platform")
            && section.platforms.is_empty()
        {
            section.platforms.push(text(platform, "platform")?);
        }
        let image = match service.get("image") {
            Some(image) => text(image, "image")?,
            None => format!("{}-{name}", self.project),
        };
        let entries = build.entries("`build`")?.iter();
        let places = entries.map(|(key, _)| (key.text.clone(), build.place_of(key))).collect();
        Ok(Service { name: name.to_owned(), image, build: section, places })
    }

    fn unknown(&self, name: &str) -> anyhow::Error {
        let entries = self.root.get("services").and_then(|services| services.entries("`services`").ok());
        let known: Vec<&str> = entries
            .unwrap_or_default()
            .iter()
            .filter(|(_, service)| service.get("build").is_some())
            .map(|(key, _)| key.text.as_str())
            .collect();
        self.root.error(format!("there is no service `{name}`; those with images to build: {}", known.join(", ")))
    }
}

fn is_enabled(service: &Node, profiles: &[String]) -> Result<bool> {
    let Some(needed) = service.get("profiles") else {
        return Ok(true);
    };
    let needed = texts(needed, "profiles")?;
    Ok(needed.is_empty()
        || needed.iter().any(|name| profiles.contains(name))
        || profiles.iter().any(|name| name == "*"))
}
