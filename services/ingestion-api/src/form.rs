//! A multipart form: one file, which goes to the store as it comes, and fields of text.

use std::{collections::BTreeMap, error::Error};

use api::{ApiError, body_error, parse_json, refuse_nul};
use axum::{
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::{StatusCode, header::CONTENT_LENGTH},
};
use futures_util::StreamExt;
use serde::de::{DeserializeOwned, value::StrDeserializer};
use serde_json::Value;
use tracing::Instrument;

use crate::{
    multipart_limit::{Unparsed, limited},
    upload::{Upload, Uploads},
};

/// Bytes that all fields but the file may have together.
const MAX_TEXT: usize = 256 * 1024;

const FILE: &str = "file";

/// A form that has come to its end.
#[derive(Default)]
pub(crate) struct Form {
    fields: BTreeMap<String, Vec<String>>,
    file: Option<Upload>,
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
        let (body, unparsed) = limited(body);
        let parts = Multipart::from_request(Request::from_parts(head, body), &()).await.map_err(|refused| {
            let message = "the body has to be a form, with `Content-Type: multipart/form-data; boundary=...`";
            ApiError::new(refused.status(), api::ErrorKind::InvalidRequestError, message)
        })?;
        // A task of its own comes to its end when the client goes away, and takes back what was written.
        let (uploads, unfinished) = (uploads.clone(), uploads.unfinished.clone());
        let reading = async move { Self::default().read_all(parts, &unparsed, &uploads, known).await };
        unfinished.spawn(reading.in_current_span()).await.map_err(ApiError::internal)?
    }

    async fn read_all(
        mut self,
        mut parts: Multipart,
        unparsed: &Unparsed,
        uploads: &Uploads,
        known: &[&str],
    ) -> Result<Self, ApiError> {
        let mut room = MAX_TEXT;
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            unparsed.reset();
            let Some(name) = part.name().map(str::to_owned) else {
                return Err(ApiError::invalid("a field of the form has no name"));
            };
            if name == FILE {
                if self.file.is_some() {
                    return Err(duplicate(FILE));
                }
                self.file = Some(
                    uploads.receive(part.map(|piece| piece.map_err(unreadable).inspect(|_| unparsed.reset()))).await?,
                );
            } else if known.contains(&name.as_str()) {
                let values = self.fields.entry(name.clone()).or_default();
                if !values.is_empty() && !name.ends_with("[]") {
                    return Err(duplicate(&name));
                }
                values.push(text(part, &name, &mut room, unparsed).await?);
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

    /// A field that is true or false.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, ApiError> {
        match self.take(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiError::invalid(format!("{name} is true or false")).param(name)),
        }
    }

    /// A field that is one of the names that serde knows for the type.
    pub(crate) fn choice<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        self.take(name).map(|value| parse_choice(&value, name)).transpose()
    }

    /// The file, which is to be kept once the whole form is known to be right.
    ///
    /// # Errors
    /// 400 for a form without a file.
    pub(crate) fn file(&mut self) -> Result<Upload, ApiError> {
        let missing = || ApiError::invalid("the form has no file; send the recording as the field `file`").param(FILE);
        self.file.take().ok_or_else(missing)
    }
}

/// One of the names that serde knows for the type, as the field `param`.
pub(crate) fn parse_choice<T: DeserializeOwned>(name: &str, param: &str) -> Result<T, ApiError> {
    let name = StrDeserializer::<serde::de::value::Error>::new(name);
    T::deserialize(name).map_err(|error| ApiError::invalid(format!("{param}: {error}")).param(param))
}

pub(crate) fn parse_json_field(text: &str, param: &str) -> Result<Value, ApiError> {
    parse_json(text.as_bytes()).map_err(|refused| refused.param(param))
}

async fn text(mut part: Field<'_>, name: &str, room: &mut usize, unparsed: &Unparsed) -> Result<String, ApiError> {
    let mut text = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(unreadable)? {
        unparsed.reset();
        *room = room.checked_sub(piece.len()).ok_or_else(|| {
            ApiError::too_large(format!("the fields besides the file are longer than {MAX_TEXT} bytes")).param(name)
        })?;
        text.extend_from_slice(&piece);
    }
    let text = String::from_utf8(text);
    let text = text.map_err(|_| ApiError::invalid(format!("{name} is not UTF-8")).param(name))?;
    refuse_nul(&text, name)?;
    Ok(text)
}

fn duplicate(name: &str) -> ApiError {
    ApiError::invalid(format!("the form has the field {name} twice; send it once")).param(name)
}

fn unreadable(error: MultipartError) -> ApiError {
    let refused = body_error(&error);
    if refused.status() == StatusCode::REQUEST_TIMEOUT {
        return refused;
    }
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    ApiError::invalid(format!("the form cannot be read: {cause}"))
}
