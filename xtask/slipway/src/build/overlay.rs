//! Lays the command line over a project: flags over every image, `--set` over those it names.

use anyhow::{Result, bail};

use super::BuildArgs;
use crate::{
    build_inputs::CacheStore,
    compose::{BuildSection, Context, Dockerfile, Service},
};

const SETTABLE: &str =
    "args.NAME, labels.NAME, target, platform, tags, cache-from, cache-to, no-cache, pull, network, dockerfile";

/// Changes the services as the command line says.
pub(super) fn overlay(services: &mut [Service], args: &BuildArgs) -> Result<()> {
    for service in services.iter_mut() {
        flags(&mut service.build, args)?;
        if let Some(repository) = &args.shared_cache {
            share_cache(service, repository);
        }
    }
    for written in &args.set {
        let setting = Setting::parse(written)?;
        let chosen = services.iter_mut().filter(|service| setting.is_for(&service.name));
        let mut found = false;
        for service in chosen {
            setting.apply(service).map_err(|error| anyhow::anyhow!("--set {written}: {error}"))?;
            found = true;
        }
        if !found {
            bail!("--set {written}: no image that is built is called `{}`", setting.image);
        }
    }
    Ok(())
}

fn flags(build: &mut BuildSection, args: &BuildArgs) -> Result<()> {
    for arg in &args.build_args {
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg.as_str(), std::env::var(arg).ok()),
        };
        if let Some(value) = value {
            build.args.insert(name.to_owned(), value);
        }
    }
    build.no_cache |= args.no_cache;
    build.pull |= args.pull;
    if let Some(target) = &args.target {
        build.target = Some(target.clone());
    }
    if !args.platforms.is_empty() {
        build.platforms.clone_from(&args.platforms);
    }
    build.cache_from.extend(stores(&args.cache_from, "--cache-from")?);
    build.cache_to.extend(stores(&args.cache_to, "--cache-to")?);
    Ok(())
}

/// A cache that cannot be written is no reason to fail.
fn share_cache(service: &mut Service, repository: &str) {
    let place = ("ref".to_owned(), format!("{repository}:{}", service.name));
    let store = |more: &[(&str, &str)]| {
        let more = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        CacheStore { kind: "registry".to_owned(), attributes: more.chain([place.clone()]).collect() }
    };
    service.build.cache_from.push(store(&[]));
    service.build.cache_to.push(store(&[("mode", "max"), ("ignore-error", "true")]));
}

fn stores(written: &[String], flag: &str) -> Result<Vec<CacheStore>> {
    let parse = |store: &String| CacheStore::parse(store).map_err(|message| anyhow::anyhow!("{flag}: {message}"));
    written.iter().map(parse).collect()
}

/// `IMAGE.KEY=VALUE`, where the image may be `*`, as bake writes it.
struct Setting<'a> {
    image: &'a str,
    key: &'a str,
    value: &'a str,
}

impl<'a> Setting<'a> {
    fn parse(written: &'a str) -> Result<Setting<'a>> {
        let parts = written.split_once('=').and_then(|(path, value)| Some((path.split_once('.')?, value)));
        let Some(((image, key), value)) = parts else {
            bail!("--set {written}: expected IMAGE.KEY=VALUE, where KEY is one of {SETTABLE}");
        };
        Ok(Setting { image, key, value })
    }

    fn is_for(&self, name: &str) -> bool {
        self.image == "*" || self.image == name
    }

    fn apply(&self, service: &mut Service) -> Result<()> {
        let build = &mut service.build;
        let value = self.value.to_owned();
        match self.key.split_once('.').unwrap_or((self.key, "")) {
            ("args", name) if !name.is_empty() => drop(build.args.insert(name.to_owned(), value)),
            ("labels", name) if !name.is_empty() => drop(build.labels.insert(name.to_owned(), value)),
            ("target", "") => build.target = Some(value),
            ("platform", "") => build.platforms = value.split(',').map(str::to_owned).collect(),
            ("tags", "") => {
                let mut tags = value.split(',').map(str::to_owned);
                service.image = tags.next().unwrap_or_default();
                build.tags = tags.collect();
            }
            ("cache-from", "") => build.cache_from = stores(&[value], "cache-from")?,
            ("cache-to", "") => build.cache_to = stores(&[value], "cache-to")?,
            ("no-cache", "") => build.no_cache = self.boolean()?,
            ("pull", "") => build.pull = self.boolean()?,
            ("network", "") => build.network = Some(value),
            ("dockerfile", "") => build.dockerfile = self.dockerfile(&build.context)?,
            _ => bail!("`{}` cannot be set; what can: {SETTABLE}", self.key),
        }
        Ok(())
    }

    fn boolean(&self) -> Result<bool> {
        self.value.parse().map_err(|_| anyhow::anyhow!("`{}` is neither true nor false", self.value))
    }

    /// Relative to the context, as in a compose file.
    fn dockerfile(&self, context: &Context) -> Result<Dockerfile> {
        match context {
            Context::Folder(folder) => Ok(Dockerfile::File(std::path::absolute(folder.join(self.value))?)),
            Context::Remote(_) => Ok(Dockerfile::File(self.value.into())),
        }
    }
}
