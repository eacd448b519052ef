//! What handlers take out of requests. They refuse as everything here does: with an [`ApiError`].

use std::error::Error;

use axum::{
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{BytesRejection, PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower_http::timeout::TimeoutError;

use crate::error::{ApiError, ErrorKind};

/// A JSON body.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        parse_json(&json_body(request).await?).map(Self)
    }
}

fn json_body(request: Request) -> BoxFuture<'static, Result<Bytes, ApiError>> {
    Box::pin(async move {
        if !is_json(request.headers()) {
            let message = "the body has to be JSON, with `Content-Type: application/json`";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorKind::InvalidRequestError, message));
        }
        Bytes::from_request(request, &()).await.map_err(rejected_body)
    })
}

/// The parts of the path.
#[derive(Debug, Clone, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub struct Path<T>(pub T);

/// The query after the path.
#[derive(Debug, Clone, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub struct Query<T>(pub T);

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        let message = format!("the path is not what is expected: {}", rejection.body_text());
        Self::new(rejection.status(), ErrorKind::InvalidRequestError, message)
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), ErrorKind::InvalidRequestError, rejection.body_text())
    }
}

/// Reads JSON; what does not fit is refused with the path of the field.
///
/// # Errors
/// 400 for what is no JSON, or not the JSON that is asked for.
pub fn parse_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let refused = ApiError::invalid(format!("the JSON is not what is expected: {}", error.inner()));
        // `.` is the whole, and `?` what broke off.
        if path == "." || path.ends_with('?') { refused } else { refused.param(path) }
    })?;
    reader.end().map_err(|error| ApiError::invalid(format!("the JSON goes on after its end: {error}")))?;
    refuse_nul_in_json(text)?;
    Ok(value)
}

/// Refuses text with a NUL in it: for libraries and databases it would end there.
///
/// # Errors
/// 400 with the field.
pub fn refuse_nul(text: &str, param: &str) -> Result<(), ApiError> {
    let refused = || ApiError::invalid(format!("{param} has a NUL character in it; leave it out")).param(param);
    if text.contains('\0') { Err(refused()) } else { Ok(()) }
}

/// In JSON a NUL is written in one way only, and hardly ever: only where it may be there it is looked for.
fn refuse_nul_in_json(text: &[u8]) -> Result<(), ApiError> {
    const ESCAPED: &[u8] = b"\\u0000";
    if !text.windows(ESCAPED.len()).any(|window| window == ESCAPED) {
        return Ok(());
    }
    refuse_nul_below(&serde_json::from_slice(text).unwrap_or_default(), "")
}

fn refuse_nul_below(value: &Value, path: &str) -> Result<(), ApiError> {
    match value {
        Value::String(text) => refuse_nul(text, path),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(position, item)| refuse_nul_below(item, &format!("{path}[{position}]")))
        }
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            refuse_nul(name, path)?;
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            refuse_nul_below(value, &path)
        }),
        _ => Ok(()),
    }
}

/// Whether the body says that it is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn rejected_body(rejection: BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large("the body is too large; LONGHAND_API_MAX_BODY_KB is what the service takes");
    }
    body_error(&rejection)
}

/// Why a body could not be read to its end: it came too slowly (408), or broke off (400).
pub fn body_error(error: &(dyn Error + 'static)) -> ApiError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<TimeoutError>() {
            let message = "the body came too slowly; send it again";
            return ApiError::new(StatusCode::REQUEST_TIMEOUT, ErrorKind::InvalidRequestError, message);
        }
        cause = error.source();
    }
    ApiError::invalid("the body broke off before its end; send it again")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::parse_json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Speech {
        #[serde(rename = "words")]
        _words: bool,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Job {
        #[serde(rename = "speech")]
        _speech: Vec<Speech>,
    }

    #[test]
    fn a_nul_is_refused_wherever_it_stands() {
        for (text, param) in [
            (r#"{"speech":{"prompt":"a\u0000b"}}"#, Some("speech.prompt")),
            (r#"{"llm":[1,{"ask":{"schema":{"enum":["\u0000"]}}}]}"#, Some("llm[1].ask.schema.enum[0]")),
            (r#"{"a":{"\u0000":1}}"#, Some("a")),
            (r#"{"a":"\\u0000 \u0001"}"#, None),
        ] {
            let refused = parse_json::<serde_json::Value>(text.as_bytes()).err();
            assert_eq!(refused.and_then(|error| error.param_named()).as_deref(), param, "{text}");
        }
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        for (text, param) in [
            (r#"{"speech":[{"words":true},{"words":1}]}"#, Some("speech[1].words")),
            (r#"{"speech":[{"word":true}]}"#, Some("speech[0].word")),
            (r#"{"speech":true}"#, Some("speech")),
            (r#"{"speech":[]} more"#, None),
            ("{", None),
            ("", None),
        ] {
            let error = parse_json::<Job>(text.as_bytes()).unwrap_err();
            assert_eq!(error.status(), 400);
            assert_eq!(error.param_named().as_deref(), param, "{text}");
        }
    }
}
