//! The images that Dockerfiles begin with. They are put into the bench's engines before anything is measured, so
//! that no pull is.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};
use tasks::{Interrupt, output::say};

use super::{
    own_engine::OwnEngine,
    process::{output_of, run_timed},
    project::BenchProject,
    variant::Variant,
};
use crate::{bases::bases_of_build, dockerfile::Frontend, name::Name};

/// The images that the Dockerfiles of a variant name, frontends included.
pub(super) fn named_by(project: &BenchProject, variant: Variant) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for pair in &project.pairs {
        let build = &variant.service(pair).build;
        names.extend(bases_of_build(build)?.iter().map(ToString::to_string));
        let frontend = build.dockerfile_text()?.as_deref().and_then(Frontend::of);
        names.extend(frontend.map(|frontend| frontend.image().to_owned()));
    }
    Ok(names)
}

/// Copies what the user's engine has, has the rest pulled, and keeps all of it in a file for engines to come.
pub(super) fn provide(
    names: &BTreeSet<String>,
    engine: &OwnEngine,
    docker: &Path,
    file: &Path,
    interrupt: &Interrupt,
) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let log = file.with_extension("log");
    for name in names {
        say(format_args!("base image {name}"));
        let mut inspect = Command::new(docker);
        inspect.args(["image", "inspect", name]).stdout(Stdio::null()).stderr(Stdio::null());
        if inspect.status().is_ok_and(|status| status.success()) {
            run_timed(Command::new(docker).args(["image", "save", "--output"]).arg(file).arg(name), &log, interrupt)?;
            load(engine, file, interrupt)?;
        } else if let Err(error) = run_timed(engine.docker().args(["pull", name]), &log, interrupt) {
            bail!(
                "the base image {name} is not in your engine, and: {error:#}\n\
                 hint: where no registry answers, `{} bases -f FILE` makes base images, here once for each of the \
                 two compose files",
                Name::typed()
            );
        }
    }
    run_timed(engine.docker().args(["image", "save", "--output"]).arg(file).args(names), &log, interrupt).map(drop)
}

/// Puts what [`provide`] has kept into another engine.
pub(super) fn load(engine: &OwnEngine, file: &Path, interrupt: &Interrupt) -> Result<()> {
    if file.exists() {
        run_timed(
            engine.docker().args(["image", "load", "--input"]).arg(file),
            &file.with_extension("log"),
            interrupt,
        )?;
    }
    Ok(())
}

/// Whether the engine has them all and nothing besides.
pub(super) fn are_all_that_is_in(engine: &OwnEngine, names: &BTreeSet<String>) -> Result<bool> {
    let listed = output_of(engine.docker().args(["image", "ls", "--all", "--quiet", "--no-trunc"]))?;
    let ids: BTreeSet<&str> = listed.lines().collect();
    let mut inspect = engine.docker();
    inspect.args(["image", "inspect", "--format", "{{.Id}}"]).args(names);
    let expected = if names.is_empty() { String::new() } else { output_of(&mut inspect)? };
    Ok(ids == expected.lines().collect())
}
