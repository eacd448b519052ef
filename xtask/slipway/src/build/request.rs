//! Turns a planned image into what BuildKit's Dockerfile frontend is asked, and into what the
//! engine may take from this machine meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::plan::{Plan, PlannedImage};
use crate::{
    build_inputs::CacheStore,
    buildkit::{Export, SharedDirectory, SolveRequest},
    compose::{Context, Dockerfile, NamedContext},
    dockerfile::Frontend,
    hash::hexadecimal,
};

/// What the frontend calls a build's main context.
pub(super) const MAIN_CONTEXT: &str = "context";

/// Dockerfiles' folders and named contexts of all images by name; one that several images use
/// has one name, so it is sent once.
pub(super) fn directories(plan: &Plan) -> BTreeMap<String, SharedDirectory> {
    plan.images.iter().flat_map(named_directories).map(|local| (local.name, local.directory)).collect()
}

/// The folders that are the main context of an image.
pub(super) fn context_folders(plan: &Plan) -> BTreeSet<&Path> {
    plan.images.iter().filter_map(context_folder).collect()
}

pub(super) fn context_folder(image: &PlannedImage) -> Option<&Path> {
    match &image.build.context {
        Context::Folder(folder) => Some(folder),
        Context::Remote(_) => None,
    }
}

/// The folders of this machine that an image is built from.
pub(super) fn image_folders(image: &PlannedImage) -> Vec<PathBuf> {
    let named = named_directories(image).into_iter().filter_map(|local| match local.directory {
        SharedDirectory::Folder(folder) => Some(folder),
        SharedDirectory::InlineFile { .. } => None,
    });
    context_folder(image).map(Path::to_owned).into_iter().chain(named).collect()
}

/// The sessions through which an image is built.
pub(super) struct Sessions<'a> {
    /// Has [`directories`]; the same for all images.
    pub(super) folders: &'a str,
    /// Has the main context, for which the frontend knows one name only; the same for all images
    /// with this context.
    pub(super) context: Option<&'a str>,
    /// Has the secrets and agents of this image; the same as `folders` where it has none.
    pub(super) own: &'a str,
    /// What `host-gateway` stands for in this engine.
    pub(super) host_gateway: Option<&'a str>,
    /// Whether the image is for an engine elsewhere.
    pub(super) sends_image: bool,
}

pub(super) fn solve_request(plan: &Plan, image: &PlannedImage, sessions: &Sessions<'_>) -> SolveRequest {
    let mut attributes = frontend_attributes(image, sessions.host_gateway);
    attributes.extend(context_attributes(plan, image));
    if let Some(session) = sessions.context {
        attributes.insert(format!("local-sessionid:{MAIN_CONTEXT}"), session.to_owned());
    }
    for local in named_directories(image) {
        attributes.insert(local.attribute, local.value);
        attributes.insert(format!("local-sessionid:{}", local.name), sessions.folders.to_owned());
    }
    let mut entitlements = image.build.entitlements.clone();
    if image.build.network.as_deref() == Some("host") {
        entitlements.push("network.host".to_owned());
    }
    let export = match (image.push, sessions.sends_image) {
        (true, _) => Export::Push,
        (false, true) if plan.is_needed(image) => Export::SendAndLoad,
        (false, true) => Export::Send,
        (false, false) => Export::Load,
    };
    SolveRequest {
        session: sessions.own.to_owned(),
        attributes,
        export: export(image.tags.clone()),
        cache_from: image.build.cache_from.iter().map(with_credentials).collect(),
        cache_to: image.build.cache_to.iter().map(with_credentials).collect(),
        entitlements,
    }
}

/// Changes the request so that the engine takes base images from its store, and reads a Dockerfile
/// with its own frontend instead of asking a registry for the one that the `# syntax=` line names.
pub(super) fn do_without_registries(image: &PlannedImage, request: &mut SolveRequest) {
    // Whoever asked for the newest images does not want those of the store.
    request.attributes.entry("image-resolve-mode".to_owned()).or_insert_with(|| "local".to_owned());
    // A file that cannot be read is the engine's to complain about.
    let text = image.build.dockerfile_text().ok().flatten();
    if let Some(Frontend::BuiltIn(written)) = text.as_deref().and_then(Frontend::of) {
        // The frontend takes this for a sign that it is the one that was asked for.
        request.attributes.insert("cmdline".to_owned(), written);
    }
}

/// GitHub tells a job where its cache is, and with which token, in the environment only.
fn with_credentials(store: &CacheStore) -> CacheStore {
    let mut store = store.clone();
    if store.kind == "gha" {
        let variables =
            [("token", "ACTIONS_RUNTIME_TOKEN"), ("url", "ACTIONS_CACHE_URL"), ("url_v2", "ACTIONS_RESULTS_URL")];
        for (attribute, variable) in variables {
            if let Ok(value) = std::env::var(variable) {
                store.attributes.entry(attribute.to_owned()).or_insert(value);
            }
        }
    }
    store
}

fn frontend_attributes(image: &PlannedImage, host_gateway: Option<&str>) -> BTreeMap<String, String> {
    let build = &image.build;
    let mut attributes = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(attributes.insert(name.to_owned(), value));
    for (name, value) in &build.args {
        set(&format!("build-arg:{name}"), value.clone());
    }
    for (name, value) in &build.labels {
        set(&format!("label:{name}"), value.clone());
    }
    if let Some(target) = &build.target {
        set("target", target.clone());
    }
    if build.no_cache {
        set("no-cache", String::new());
    } else if !build.no_cache_filter.is_empty() {
        set("no-cache", build.no_cache_filter.join(","));
    }
    if build.pull {
        set("image-resolve-mode", "pull".to_owned());
    }
    if !build.platforms.is_empty() {
        set("platform", build.platforms.join(","));
    }
    if let Some(network) = &build.network {
        set("force-network-mode", network.clone());
    }
    if let Some(size) = build.shm_size {
        set("shm-size", size.to_string());
    }
    let address = |written: &str| match (written, host_gateway) {
        ("host-gateway", Some(gateway)) => gateway.to_owned(),
        _ => written.to_owned(),
    };
    let hosts = build.extra_hosts.iter().map(|(host, written)| format!("{host}={}", address(written)));
    let hosts: Vec<String> = hosts.collect();
    if !hosts.is_empty() {
        set("add-hosts", hosts.join(","));
    }
    attributes
}

/// Contexts that are not folders of this machine.
fn context_attributes(plan: &Plan, image: &PlannedImage) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    if let Context::Remote(address) = &image.build.context {
        attributes.insert("context".to_owned(), address.clone());
    }
    if let Dockerfile::File(path) = &image.build.dockerfile {
        let name = if path.is_absolute() { file_name(path) } else { path.to_string_lossy().into_owned() };
        attributes.insert("filename".to_owned(), name);
    }
    for (name, context) in &image.build.additional_contexts {
        let value = match context {
            NamedContext::Folder(_) => continue,
            NamedContext::Remote(address) => address.clone(),
            // It has been built and loaded before, for it is among this image's needs.
            NamedContext::Service(other) => {
                let tags = plan.image(other).map(|image| image.tags.clone()).unwrap_or_default();
                format!("docker-image://{}", tags.first().cloned().unwrap_or_default())
            }
        };
        attributes.insert(format!("context:{name}"), value);
    }
    attributes
}

/// A folder under the name that the attribute tells the frontend.
struct LocalDirectory {
    attribute: String,
    value: String,
    name: String,
    directory: SharedDirectory,
}

fn named_directories(image: &PlannedImage) -> Vec<LocalDirectory> {
    let mut locals = Vec::new();
    match &image.build.dockerfile {
        Dockerfile::File(path) if path.is_absolute() => {
            let folder = path.parent().unwrap_or(path);
            locals.push(local("dockerfilekey", folder_named("dockerfile", folder)));
        }
        Dockerfile::File(_) => {}
        Dockerfile::Inline(content) => {
            let directory = SharedDirectory::InlineFile { name: "Dockerfile".to_owned(), content: content.clone() };
            locals.push(local("dockerfilekey", (named("inline", content), directory)));
        }
    }
    for (name, context) in &image.build.additional_contexts {
        if let NamedContext::Folder(folder) = context {
            let (key, directory) = folder_named("context", folder);
            locals.push(LocalDirectory {
                attribute: format!("context:{name}"),
                value: format!("local:{key}"),
                name: key,
                directory,
            });
        }
    }
    locals
}

fn local(attribute: &str, (name, directory): (String, SharedDirectory)) -> LocalDirectory {
    LocalDirectory { attribute: attribute.to_owned(), value: name.clone(), name, directory }
}

fn folder_named(kind: &str, folder: &Path) -> (String, SharedDirectory) {
    (named(kind, &folder.to_string_lossy()), SharedDirectory::Folder(PathBuf::from(folder)))
}

/// The same for the same folder in every build, because the engine remembers transfers by it.
pub(super) fn named(kind: &str, content: &str) -> String {
    let short = hexadecimal(&Sha256::digest(content)[..6]);
    format!("{kind}-{short}")
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
