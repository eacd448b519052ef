//! The requests of whisper-asr-webservice, `POST /asr` and `POST /detect-language`, for programs that were written for
//! it. Their options stand in the address.

use std::collections::BTreeMap;

use api::{ApiError, Query};
use axum::{
    extract::{Request, State},
    response::Response,
};
use engine::{
    formats::Format,
    job::{AUTO, SpeechOptions, SpeechTask},
    languages::language_name,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app_state::AppState,
    caller::Caller,
    form::{Fields, Form, OtherFields, parse_choice, parse_flag},
    job_options::{BodyFormat, checked_speech},
    transcription::{self, Document},
};

const FIELDS: Fields =
    Fields { file: "audio_file", file_head: &[], single: &[], lists: &[], others: OtherFields::Ignored };

/// The head of a WAV file whose length nobody knows yet: 16 kHz, one channel, 16 bits. That is what the samples are which
/// clients send that have decoded the recording by themselves.
const HEAD_OF_SAMPLES: &[u8; 44] =
    b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\xff\xff\xff\xff";

/// A recording.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is what the documentation says of the form; the form is read field by field")]
struct AsrForm {
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    audio_file: Vec<u8>,
}

/// The options that have an effect. Others are named in X-Longhand-Ignored-Fields.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is what the documentation says of the address; it is read name by name")]
struct AsrOptions {
    /// `transcribe` or `translate`.
    task: Option<String>,
    /// Whisper's code, such as `en`.
    language: Option<String>,
    initial_prompt: Option<String>,
    word_timestamps: Option<bool>,
    /// `txt`, `json`, `srt`, `vtt` or `tsv`.
    output: Option<String>,
    /// `false` for bare samples: 16 kHz, one channel, 16 bits.
    encode: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AsrOutput {
    Txt,
    Json,
    Srt,
    Vtt,
    Tsv,
}

/// The language of a recording.
#[derive(Debug, Serialize, ToSchema)]
struct DetectedLanguage {
    /// Its English name, in lower case.
    detected_language: String,
    /// Whisper's code.
    language_code: String,
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(transcribe)).routes(routes!(detect_language))
}

/// Transcribe a recording as whisper-asr-webservice does
#[utoipa::path(
    post, path = "/asr", tag = "Other servers", params(AsrOptions),
    request_body(content = AsrForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The text, in the format that was asked for", content(
        (String = "text/plain"), (Object = "application/json"),
    ))),
)]
async fn transcribe(
    State(state): State<AppState>,
    caller: Caller,
    Query(mut query): Query<Options>,
    request: Request,
) -> Result<Response, ApiError> {
    let mut form = Form::read(request, &state.uploads, query.fields()?).await?;
    let file = form.file()?;
    let speech = SpeechOptions {
        language: query.take("language").unwrap_or_else(|| AUTO.to_owned()),
        task: query.choice("task")?.unwrap_or(SpeechTask::Transcribe),
        prompt: query.take("initial_prompt"),
        words: query.take("word_timestamps").map_or(Ok(false), |value| parse_flag(&value, "word_timestamps"))?,
        ..SpeechOptions::default()
    };
    let speech = checked_speech(speech, BodyFormat::Form, &state.models)?;
    let document = match query.choice("output")?.unwrap_or(AsrOutput::Txt) {
        AsrOutput::Txt => Document::plain(Format::Txt),
        AsrOutput::Json => Document::json(|result| {
            let (text, language, segments) = (&result.text, &result.language, &result.segments);
            serde_json::to_string(&json!({ "text": text, "segments": segments, "language": language }))
        }),
        AsrOutput::Srt => Document::plain(Format::Srt),
        AsrOutput::Vtt => Document::plain(Format::Vtt),
        AsrOutput::Tsv => Document::plain(Format::Tsv),
    };
    let ignored = [query.rest(), form.take_ignored()].concat();
    let awaited = transcription::start(&state, caller, file, form.file_name.as_deref(), speech).await?;
    Ok(transcription::respond(state, awaited, document, &ignored).await)
}

/// Detect a recording's language as whisper-asr-webservice does
///
/// The recording is transcribed, so that a request for its text finds that done.
#[utoipa::path(
    post, path = "/detect-language", tag = "Other servers",
    request_body(content = AsrForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The language that is spoken", body = DetectedLanguage)),
)]
async fn detect_language(
    State(state): State<AppState>,
    caller: Caller,
    Query(mut query): Query<Options>,
    request: Request,
) -> Result<Response, ApiError> {
    let mut form = Form::read(request, &state.uploads, query.fields()?).await?;
    let file = form.file()?;
    let document = Document::json(|result| {
        let language = &result.language;
        let name = language_name(language).unwrap_or(language);
        let (detected_language, language_code) = (name.to_owned(), language.clone());
        serde_json::to_string(&DetectedLanguage { detected_language, language_code })
    });
    let ignored = [query.rest(), form.take_ignored()].concat();
    let awaited =
        transcription::start(&state, caller, file, form.file_name.as_deref(), SpeechOptions::default()).await?;
    Ok(transcription::respond(state, awaited, document, &ignored).await)
}

/// The options of an address, by name.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Options(BTreeMap<String, String>);

impl Options {
    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    fn choice<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        self.take(name).map(|value| parse_choice(&value, name)).transpose()
    }

    /// Without `encode`, the file is bare samples.
    fn fields(&mut self) -> Result<Fields, ApiError> {
        let encode = self.take("encode").map(|value| parse_flag(&value, "encode")).transpose()?;
        let file_head: &[u8] = if encode == Some(false) { HEAD_OF_SAMPLES } else { &[] };
        Ok(Fields { file_head, ..FIELDS })
    }

    /// What had no effect.
    fn rest(self) -> Vec<String> {
        self.0.into_keys().collect()
    }
}
