//! What can be typed after `slipway build`.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Subcommand};

use super::{compare::CompareArgs, history::HistoryArgs, progress::ProgressStyle};

pub(crate) const EXAMPLES: &str = "\
Examples:
  slipway build
  slipway build web worker -j 4 --timings out/
  slipway build history
  slipway build compare 17 18
  slipway build -- history     # a service that is called so";

/// Build the images of a compose project in parallel.
#[derive(Debug, Default, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BuildArgs {
    #[command(subcommand)]
    pub(super) history_command: Option<HistoryCommand>,
    /// Services whose images to build; all of them where none is named
    #[arg(value_name = "IMAGE")]
    pub(super) images: Vec<String>,
    /// Compose file; later ones are laid over earlier ones
    #[arg(short, long = "file", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Name of the project, for images that have no name of their own
    #[arg(short, long, value_name = "NAME")]
    pub(super) project_name: Option<String>,
    /// Profile to enable
    #[arg(long = "profile", value_name = "NAME")]
    pub(super) profiles: Vec<String>,
    /// File of variables, instead of the .env beside the compose file
    #[arg(long = "env-file", value_name = "FILE")]
    pub(super) env_files: Vec<PathBuf>,
    /// The most images built at the same time; as many as there are cores, but 8 at least, where nothing is said
    #[arg(short, long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Build the other images when one fails
    #[arg(long)]
    pub(super) keep_going: bool,
    /// Take nothing from the cache
    #[arg(long)]
    pub(super) no_cache: bool,
    /// Solve images that are known to be unchanged, too
    #[arg(long)]
    pub(super) verify: bool,
    /// Ask the registries for newer base images
    #[arg(long)]
    pub(super) pull: bool,
    /// Stage to build, in all images
    #[arg(long, value_name = "STAGE")]
    pub(super) target: Option<String>,
    /// Platform to build for, as in linux/arm64
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub(super) platforms: Vec<String>,
    /// Argument for all Dockerfiles; without a value, that of the environment
    #[arg(long = "build-arg", value_name = "NAME[=VALUE]")]
    pub(super) build_args: Vec<String>,
    /// Change one image, or all with `*`, as in web.args.VERSION=2 or *.target=debug
    #[arg(long, value_name = "IMAGE.KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Further cache to read from, as in type=registry,ref=...
    #[arg(long, value_name = "CACHE")]
    pub(super) cache_from: Vec<String>,
    /// Further cache to write to
    #[arg(long, value_name = "CACHE")]
    pub(super) cache_to: Vec<String>,
    /// Daemon that builds instead of the engine, as in tcp://host:1234 or unix:///run/buildkit/buildkitd.sock; images
    /// are spread over several
    #[arg(long = "builder", value_name = "ADDR")]
    pub(super) builders: Vec<String>,
    /// Folder of ca.pem, cert.pem and key.pem for builders at tcp:// addresses; DOCKER_CERT_PATH where DOCKER_TLS_VERIFY is
    /// set
    #[arg(long, value_name = "DIR", requires = "builders")]
    pub(super) builder_certs: Option<PathBuf>,
    /// Repository that keeps each image's cache under a tag of its own, for builders that share no disk
    #[arg(long, value_name = "REPOSITORY")]
    pub(super) shared_cache: Option<String>,
    /// Push to the registries instead of loading into the engine
    #[arg(long)]
    pub(super) push: bool,
    /// How to show progress
    #[arg(long, value_enum, default_value_t = ProgressStyle::Auto)]
    pub(super) progress: ProgressStyle,
    /// Folder for build.json, build.html, trace.json and build.prom
    #[arg(long, value_name = "DIR")]
    pub(super) timings: Option<PathBuf>,
    /// Only show what would be built; as JSON with --progress json
    #[arg(long)]
    pub(super) check: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum HistoryCommand {
    /// List the last builds
    History(HistoryArgs),
    /// Tell which images took longer in build B than in A, and why
    Compare(CompareArgs),
}
