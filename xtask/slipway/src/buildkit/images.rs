//! The engine's store of images, and the registries that the engine asks for more.

use std::io;

use anyhow::{Context, Result};
use bollard::{errors::Error, query_parameters::ImportImageOptions};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};

use super::connection::Engine;

const NOT_FOUND: u16 = 404;
/// The engine passes on the status with which a registry answers; its own failure to reach one is an error of the
/// server's kind.
const FIRST_SERVER_ERROR: u16 = 500;

impl Engine {
    /// Loads an archive as `docker save` writes it.
    pub(crate) async fn load(&self, archive: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Result<()> {
        let progress = self.docker.import_image_stream(ImportImageOptions::default(), archive, None);
        progress.try_for_each(|_| async { Ok(()) }).await.context("the engine did not load the image")
    }

    /// The command by which the first layer of an image came about, out of its history; none where
    /// the engine does not have the image.
    pub(crate) async fn first_step(&self, image: &str) -> Result<Option<String>> {
        match self.docker.image_history(image).await {
            // The latest comes first.
            Ok(history) => Ok(Some(history.into_iter().next_back().map(|step| step.created_by).unwrap_or_default())),
            Err(Error::DockerResponseServerError { status_code: NOT_FOUND, .. }) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("the engine could not inspect `{image}`")),
        }
    }

    /// Whether the registry of an image says anything, if only that it has no such image.
    pub(crate) async fn registry_answers(&self, image: &str) -> Result<bool> {
        match self.docker.inspect_registry_image(image, None).await {
            Ok(_) => Ok(true),
            Err(Error::DockerResponseServerError { status_code, .. }) => Ok(status_code < FIRST_SERVER_ERROR),
            Err(error) => Err(error).with_context(|| format!("the engine could not ask a registry for `{image}`")),
        }
    }
}
