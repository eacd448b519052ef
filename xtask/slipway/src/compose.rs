//! Compose files: reads what they say about building images, the way `docker compose build`
//! does. It knows nothing of engines; whatever it does not support is an error that names it.

mod bench_section;
mod build_section;
mod env_file;
mod extends;
mod fields;
mod host_build;
mod interpolate;
mod merge;
mod paths;
mod project;
mod variables;
mod yaml;

pub(crate) use bench_section::{BenchSection, IgnoredFolder, SourceChange};
pub(crate) use build_section::{BuildSection, Context, Dockerfile, NamedContext};
pub(crate) use host_build::HostBuild;
pub(crate) use project::{Project, ProjectRequest, Service, files_of};
pub(crate) use yaml::Place;
