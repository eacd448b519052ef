//! `extends`: a service that begins with what another one says, of this file or of another.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{
    fields::text,
    interpolate::interpolate,
    merge::merge,
    paths::{clean, normalize},
    variables::Variables,
    yaml::{Node, Value, parse},
};

/// Reads a file so that it can be merged with others.
pub(super) fn read(path: &Path, folder: &Path, variables: &Variables) -> Result<Node> {
    let mut file = parse(path)?;
    file.entries("a compose file")?;
    if let Some(include) = file.get("include") {
        return Err(include.error("`include` is not supported; name the files with -f instead"));
    }
    interpolate(&mut file, variables)?;
    normalize(&mut file, folder)?;
    Ok(file)
}

/// Resolves the `extends` of every service of a file.
pub(super) fn resolve_all(file: &mut Node, folder: &Path, variables: &Variables) -> Result<()> {
    let original = file.clone();
    let Some(services) = file.get_mut("services") else {
        return Ok(());
    };
    let Value::Map(entries) = &mut services.value else {
        return Err(services.error("`services` must be a mapping"));
    };
    for (name, service) in entries {
        let mut chain = vec![(PathBuf::from(&*service.place.file), name.text.clone())];
        *service = resolve(service.clone(), &original, folder, variables, &mut chain)?;
    }
    Ok(())
}

/// `chain` holds the services that led here, so that a circle is noticed.
fn resolve(
    mut service: Node,
    file: &Node,
    folder: &Path,
    variables: &Variables,
    chain: &mut Vec<(PathBuf, String)>,
) -> Result<Node> {
    let Some(extends) = service.remove("extends") else {
        return Ok(service);
    };
    let (name, path) = target(&extends, folder)?;
    let link = (path.clone().unwrap_or_else(|| file.place.file.to_path_buf()), name.clone());
    if chain.contains(&link) {
        bail!(extends.error(format!("`{name}` extends itself")));
    }
    chain.push(link);

    let (other, other_folder);
    let (source, source_folder) = match &path {
        None => (file, folder),
        Some(path) => {
            other_folder = path.parent().unwrap_or(folder).to_owned();
            other = read(path, &other_folder, variables).map_err(|error| extends.error(format!("{error:#}")))?;
            (&other, other_folder.as_path())
        }
    };
    let base = source
        .get("services")
        .and_then(|services| services.get(&name))
        .ok_or_else(|| extends.error(format!("{} has no service `{name}` to extend", source.place.file.display())))?;
    let base = resolve(base.clone(), source, source_folder, variables, chain)?;
    Ok(merge(base, service))
}

fn target(extends: &Node, folder: &Path) -> Result<(String, Option<PathBuf>)> {
    if let Value::Scalar(name) = &extends.value {
        return Ok((name.clone(), None));
    }
    let service = extends.get("service").ok_or_else(|| extends.error("`extends` needs a `service`"))?;
    let file = extends.get("file").map(|file| text(file, "extends.file")).transpose()?;
    Ok((text(service, "extends.service")?, file.map(|file| clean(&folder.join(file)))))
}
