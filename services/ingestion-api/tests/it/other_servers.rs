//! Clients of other servers, as they are: curl with OpenAI's form and what others add to it, whisper.cpp's server,
//! whisper-asr-webservice.

use serde_json::json;

use crate::{
    form::{Form, recording},
    service::{SERVICE, STACK},
};

const SAID: &str = "ask not what your country can do for you";
const TRANSCRIPTIONS: &str = "/v1/audio/transcriptions";

#[tokio::test]
async fn extras_of_other_servers_are_taken_and_told_to_have_no_effect() {
    let plain = || Form::new().text("model", "whisper-1").text("language", "en");
    for (form, ignored) in [
        (plain(), ""),
        (plain().text("vad_filter", "true").text("best_of", "5"), "vad_filter, best_of"),
        (plain().text("temperature", "0"), ""),
        (plain().text("temperature", "0.7").text("beam_size", "5"), "beam_size, temperature"),
        (plain().text("odd name\u{e9}", "1").text("other", "1"), "other"),
        (plain().text("chunking_strategy", r#"{"type":"server_vad","threshold":0.4}"#), "chunking_strategy.threshold"),
    ] {
        let answer = SERVICE.post_form(TRANSCRIPTIONS, form.file(&recording())).await;
        assert_eq!((answer.status, answer.header("x-longhand-ignored-fields")), (200, ignored), "{answer:?}");
        assert!(answer.json()["text"].as_str().unwrap().contains(SAID), "{answer:?}");
        assert!(answer.header("x-longhand-job").starts_with("job-"), "{answer:?}");
    }
}

#[tokio::test]
async fn lists_come_in_every_spelling() {
    let verbose = || Form::new().text("language", "en").text("response_format", "verbose_json");
    for form in [
        verbose().text("timestamp_granularities[]", "word").text("timestamp_granularities[]", "segment"),
        verbose().text("timestamp_granularities", "word").text("timestamp_granularities", "segment"),
        verbose().text("timestamp_granularities", "word,segment"),
    ] {
        let answer = SERVICE.post_form(TRANSCRIPTIONS, form.file(&recording())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        for times in ["words", "segments"] {
            assert!(!answer[times].as_array().unwrap().is_empty(), "{times} in {answer}");
        }
        assert_eq!(answer["usage"]["seconds"], 11);
    }
}

#[tokio::test]
async fn a_stream_is_a_stream_however_its_flag_is_written() {
    for flag in ["true", "True", "1"] {
        let form = Form::new().text("language", "en").text("stream", flag).file(&recording());
        let answer = SERVICE.post_form(TRANSCRIPTIONS, form).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/event-stream"), "{flag}");
        let last = answer.text.trim_end().rsplit("data: ").next().unwrap();
        let last: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(last["type"], "transcript.text.done");
        assert!(last["text"].as_str().unwrap().contains(SAID), "{answer:?}");
    }
}

#[tokio::test]
async fn clients_of_whisper_cpps_server_are_served() {
    for (format, begins, kind) in [
        (None, r#"{"text":"And so"#, "application/json"),
        (Some("text"), "And so", "text/plain; charset=utf-8"),
        (Some("srt"), "1\n00:00:0", "text/plain; charset=utf-8"),
        (Some("vtt"), "WEBVTT\n", "text/plain; charset=utf-8"),
        (Some("verbose_json"), r#"{"task":"transcribe","language":"english""#, "application/json"),
    ] {
        let form = Form::new().text("temperature", "0.0").text("temperature_inc", "0.2").text("language", "en");
        let form = format.into_iter().fold(form, |form, format| form.text("response_format", format));
        let answer = SERVICE.post_form("/inference", form.file(&recording())).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{answer:?}");
        assert_eq!(answer.header("x-longhand-ignored-fields"), "temperature, temperature_inc");
        assert!(answer.text.starts_with(begins), "{format:?}: {answer:?}");
    }
}

#[tokio::test]
async fn clients_of_whisper_asr_webservice_are_served() {
    let form = || Form::new().part("name=\"audio_file\"; filename=\"a.flac\"", &recording());
    for (output, begins) in [
        ("", "And so"),
        ("&output=txt", "And so"),
        ("&output=srt", "1\n00:00:0"),
        ("&output=vtt", "WEBVTT\n"),
        ("&output=tsv", "start\tend\ttext\n"),
    ] {
        let path = format!("/asr?task=transcribe&language=en&encode=true&vad_filter=false{output}");
        let answer = SERVICE.post_form(&path, form()).await;
        assert_eq!((answer.status, answer.header("x-longhand-ignored-fields")), (200, "vad_filter"), "{answer:?}");
        assert!(answer.text.starts_with(begins), "{output}: {answer:?}");
    }
    let answer = SERVICE.post_form("/asr?output=json&word_timestamps=True", form()).await.json();
    assert_eq!(answer["language"], "en");
    assert!(answer["text"].as_str().unwrap().contains(SAID), "{answer}");
    assert!(answer["segments"][0]["words"][0]["probability"].is_number(), "{answer}");
    let language = SERVICE.post_form("/detect-language?encode=true", form()).await.json();
    assert_eq!(language, json!({ "detected_language": "english", "language_code": "en" }));
}

#[tokio::test]
async fn an_answer_that_says_what_is_wrong_with_a_recording_names_its_job() {
    for (path, form) in [
        (TRANSCRIPTIONS, Form::new().file(b"no recording")),
        ("/inference", Form::new().file(b"no recording")),
        ("/asr", Form::new().part("name=\"audio_file\"", b"no recording")),
    ] {
        let answer = SERVICE.post_form(path, form).await;
        assert_eq!((answer.status, answer.json()["error"]["param"].as_str()), (400, Some("file")), "{answer:?}");
        let job = answer.header("x-longhand-job");
        assert_eq!(STACK.json(["show", job, "--json"])["status"], "failed", "{answer:?}");
    }
}

/// Clients that have decoded the recording send its samples alone, and say so.
#[tokio::test]
async fn bare_samples_become_a_file_that_says_what_they_are() {
    let samples: Vec<u8> = (0..32_000_u16).flat_map(|sample| sample.to_le_bytes()).collect();
    let form = Form::new().part("name=\"audio_file\"; filename=\"audio\"", &samples);
    SERVICE.post_form("/asr?encode=false&output=srt&task=transcribe", form).await;
    let uploads = std::fs::read_dir(STACK.folder().join("store/uploads")).unwrap().flatten();
    let mut files = uploads.filter_map(|entry| std::fs::read(entry.path()).ok());
    let kept = files.find(|file| file.ends_with(&samples)).unwrap();
    assert_eq!((&kept[..4], &kept[8..16], kept.len()), (&b"RIFF"[..], &b"WAVEfmt "[..], samples.len() + 44));
    assert_eq!(u32::from_le_bytes(kept[24..28].try_into().unwrap()), 16_000, "samples in a second");
}
