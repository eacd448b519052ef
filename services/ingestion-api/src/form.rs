//! A multipart form: one file, which goes to the store as it comes, and fields of text.

use std::{collections::BTreeMap, error::Error};

use api::{ApiError, unread_body};
use axum::{
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::{StatusCode, header::CONTENT_LENGTH},
};
use engine::job::Source;
use futures_util::StreamExt;
use tracing::Instrument;

use crate::{
    paced::{Unused, paced},
    upload::Uploads,
};

/// Bytes that all fields but the file may have together.
const MOST_TEXT: usize = 256 * 1024;

const FILE: &str = "file";

/// A form that has come to its end.
#[derive(Debug, Default)]
pub(crate) struct Form {
    fields: BTreeMap<String, Vec<String>>,
    /// Where the file lies in the store.
    file: Option<String>,
}

impl Form {
    /// Reads a form with a file and fields of these names. Those that end in `[]` may come more than once.
    ///
    /// # Errors
    /// 400 for what is no such form, 413 for one that is too large, 415 for what is no form, and those of the store.
    pub(crate) async fn read(
        request: Request,
        uploads: &Uploads,
        known: &'static [&'static str],
    ) -> Result<Self, ApiError> {
        let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        uploads.check_length(length.unwrap_or_default())?;
        let (head, body) = request.into_parts();
        let (body, unused) = paced(body);
        let parts = Multipart::from_request(Request::from_parts(head, body), &()).await.map_err(|refused| {
            let message = "the body has to be a form, with `Content-Type: multipart/form-data; boundary=...`";
            ApiError::new(refused.status(), api::ErrorKind::InvalidRequestError, message)
        })?;
        // A task of its own comes to its end when the client goes away, and takes back what was written.
        let uploads = uploads.clone();
        let reading = async move { Self::default().read_all(parts, &unused, &uploads, known).await };
        tokio::spawn(reading.in_current_span()).await.map_err(ApiError::internal)?
    }

    async fn read_all(
        mut self,
        mut parts: Multipart,
        unused: &Unused,
        uploads: &Uploads,
        known: &[&str],
    ) -> Result<Self, ApiError> {
        let mut room = MOST_TEXT;
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            unused.used();
            let Some(name) = part.name().map(str::to_owned) else {
                return Err(ApiError::invalid("a field of the form has no name"));
            };
            if name == FILE {
                if self.file.is_some() {
                    return Err(twice(FILE));
                }
                self.file =
                    Some(uploads.receive(part.map(|piece| piece.map_err(broken).inspect(|_| unused.used()))).await?);
            } else if known.contains(&name.as_str()) {
                let values = self.fields.entry(name.clone()).or_default();
                if !values.is_empty() && !name.ends_with("[]") {
                    return Err(twice(&name));
                }
                values.push(text(part, &name, &mut room, unused).await?);
            } else {
                let message = format!("there is no field {name:?}; the fields are file, {}", known.join(", "));
                return Err(ApiError::invalid(message).param(name));
            }
        }
        Ok(self)
    }

    /// A field's value; empty ones are as good as none.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.take_all(name).into_iter().next().filter(|value| !value.is_empty())
    }

    pub(crate) fn take_all(&mut self, name: &str) -> Vec<String> {
        self.fields.remove(name).unwrap_or_default()
    }

    /// # Errors
    /// 400 for a form without a file.
    pub(crate) fn source(&mut self) -> Result<Source, ApiError> {
        let missing = || ApiError::invalid("the form has no file; send the recording as the field `file`").param(FILE);
        self.file.take().map(Source::Object).ok_or_else(missing)
    }
}

async fn text(mut part: Field<'_>, name: &str, room: &mut usize, unused: &Unused) -> Result<String, ApiError> {
    let mut text = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(broken)? {
        unused.used();
        *room = room.checked_sub(piece.len()).ok_or_else(|| {
            ApiError::too_large(format!("the fields besides the file are longer than {MOST_TEXT} bytes")).param(name)
        })?;
        text.extend_from_slice(&piece);
    }
    String::from_utf8(text).map_err(|_| ApiError::invalid(format!("{name} is not UTF-8")).param(name))
}

fn twice(name: &str) -> ApiError {
    ApiError::invalid(format!("the form has the field {name} twice; send it once")).param(name)
}

fn broken(error: MultipartError) -> ApiError {
    let refused = unread_body(&error);
    if refused.status() == StatusCode::REQUEST_TIMEOUT {
        return refused;
    }
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    ApiError::invalid(format!("the form cannot be read: {cause}"))
}
