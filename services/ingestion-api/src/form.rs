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
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::de::{DeserializeOwned, value::StrDeserializer};
use serde_json::Value;
use tracing::Instrument;

use crate::{
    multipart_limit::{Unparsed, limited},
    upload::{Upload, Uploads},
};

/// Bytes that all fields but the file may have together.
const MAX_TEXT: usize = 256 * 1024;

/// What a form may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// The field with the recording.
    pub(crate) file: &'static str,
    /// What the recording lacks at its beginning.
    pub(crate) file_head: &'static [u8],
    pub(crate) single: &'static [&'static str],
    /// Fields that may come more than once, with `[]` after their names or without.
    pub(crate) lists: &'static [&'static str],
    pub(crate) others: OtherFields,
}

/// What becomes of fields that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtherFields {
    /// A slip is told.
    Refused,
    /// They are another server's, and the answer says that nothing came of them.
    Ignored,
}

impl Fields {
    /// Those of the service's own requests.
    pub(crate) fn own(single: &'static [&'static str]) -> Self {
        Self { file: "file", file_head: &[], single, lists: &[], others: OtherFields::Refused }
    }

    /// The name that the form keeps a field's values under; `None` for one that nobody knows.
    fn known(&self, name: &str) -> Option<&'static str> {
        let list = name.strip_suffix("[]").unwrap_or(name);
        let lists = self.lists.iter().find(|known| **known == list);
        lists.or_else(|| self.single.iter().find(|known| **known == name)).copied()
    }
}

/// A form that has come to its end.
pub(crate) struct Form {
    names: Fields,
    fields: BTreeMap<&'static str, Vec<String>>,
    file: Option<Upload>,
    /// As the client calls the file.
    pub(crate) file_name: Option<String>,
    ignored: Vec<String>,
}

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// 400 for what is no such form, 413 for one that is too large, 415 for what is no form, and those of the store.
    pub(crate) async fn read(request: Request, uploads: &Uploads, names: Fields) -> Result<Self, ApiError> {
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
        let form = Self { names, fields: BTreeMap::new(), file: None, file_name: None, ignored: Vec::new() };
        let reading = async move { form.read_all(parts, &unparsed, &uploads).await };
        unfinished.spawn(reading.in_current_span()).await.map_err(ApiError::internal)?
    }

    async fn read_all(
        mut self,
        mut parts: Multipart,
        unparsed: &Unparsed,
        uploads: &Uploads,
    ) -> Result<Self, ApiError> {
        let names = self.names;
        let mut room = MAX_TEXT;
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            unparsed.reset();
            let Some(name) = part.name().map(str::to_owned) else {
                return Err(ApiError::invalid("a field of the form has no name"));
            };
            if name == names.file {
                if self.file.is_some() {
                    return Err(duplicate(&name));
                }
                self.file_name = part.file_name().map(str::to_owned);
                let pieces = part.map(|piece| piece.map_err(unreadable).inspect(|_| unparsed.reset()));
                let head = (!names.file_head.is_empty()).then(|| Ok(Bytes::from_static(names.file_head)));
                self.file = Some(uploads.receive(stream::iter(head).chain(pieces)).await?);
            } else if let Some(known) = names.known(&name) {
                let values = self.fields.entry(known).or_default();
                if !values.is_empty() && !names.lists.contains(&known) {
                    return Err(duplicate(&name));
                }
                values.push(text(part, &name, &mut room, unparsed).await?);
            } else if names.others == OtherFields::Ignored {
                read(part, &name, &mut room, unparsed).await?;
                self.ignored.push(name);
            } else {
                let message =
                    format!("there is no field {name:?}; the fields are {}, {}", names.file, names.single.join(", "));
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

    /// The names of fields from which nothing came.
    pub(crate) fn take_ignored(&mut self) -> Vec<String> {
        std::mem::take(&mut self.ignored)
    }

    /// A field that is true or false, as programs of several languages write it.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, ApiError> {
        self.take(name).map_or(Ok(false), |value| parse_flag(&value, name))
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
        let name = self.names.file;
        let missing =
            || ApiError::invalid(format!("the form has no file; send the recording as the field `{name}`")).param(name);
        self.file.take().ok_or_else(missing)
    }
}

/// One of the names that serde knows for the type, as the field `param`.
pub(crate) fn parse_choice<T: DeserializeOwned>(name: &str, param: &str) -> Result<T, ApiError> {
    let name = StrDeserializer::<serde::de::value::Error>::new(name);
    T::deserialize(name).map_err(|error| ApiError::invalid(format!("{param}: {error}")).param(param))
}

/// A value that is true or false.
pub(crate) fn parse_flag(value: &str, param: &str) -> Result<bool, ApiError> {
    match value.to_ascii_lowercase().as_str() {
        "false" | "0" | "no" | "off" => Ok(false),
        "true" | "1" | "yes" | "on" => Ok(true),
        _ => Err(ApiError::invalid(format!("{param} is true or false")).param(param)),
    }
}

pub(crate) fn parse_json_field(text: &str, param: &str) -> Result<Value, ApiError> {
    parse_json(text.as_bytes()).map_err(|refused| refused.param(param))
}

async fn text(part: Field<'_>, name: &str, room: &mut usize, unparsed: &Unparsed) -> Result<String, ApiError> {
    let text = String::from_utf8(read(part, name, room, unparsed).await?);
    let text = text.map_err(|_| ApiError::invalid(format!("{name} is not UTF-8")).param(name))?;
    refuse_nul(&text, name)?;
    Ok(text)
}

async fn read(mut part: Field<'_>, name: &str, room: &mut usize, unparsed: &Unparsed) -> Result<Vec<u8>, ApiError> {
    let mut content = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(unreadable)? {
        unparsed.reset();
        *room = room.checked_sub(piece.len()).ok_or_else(|| {
            ApiError::too_large(format!("the fields besides the file are longer than {MAX_TEXT} bytes")).param(name)
        })?;
        content.extend_from_slice(&piece);
    }
    Ok(content)
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
