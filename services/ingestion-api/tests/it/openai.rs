//! OpenAI's own Python client, with nothing changed but its base URL.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use serde_json::Value;
use test_stack::sample;

use crate::service::SERVICE;

const CLIENT: &str = "openai==3.57.0";
const SAID: &str = "ask not what your country can do for you";

/// A Python with the client, made once for this target folder.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openai-client");
    let python = folder.join("bin/python");
    let installed = folder.join(CLIENT);
    if !installed.exists() {
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT]));
        std::fs::write(installed, "").unwrap();
    }
    python
});

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Runs Python, in which `client` and `recording` are set, and gives the JSON that it prints.
fn python(script: &str) -> Value {
    const SET_UP: &str = "\
import json, sys, openai
client = openai.OpenAI(base_url=sys.argv[1], api_key='none', max_retries=0)
recording = open(sys.argv[2], 'rb')
transcribe = lambda **options: client.audio.transcriptions.create(model='whisper-1', file=recording, **options)
";
    let mut command = Command::new(&*PYTHON);
    command.args(["-c", &format!("{SET_UP}{script}"), &format!("http://{}/v1", SERVICE.address), &sample()]);
    command.env("NO_PROXY", "127.0.0.1");
    serde_json::from_slice(&succeed(&mut command).stdout).unwrap()
}

#[test]
fn the_client_reads_every_format() {
    let texts = python(
        "
texts = {}
for name in ['text', 'srt', 'vtt']:
    recording.seek(0)
    texts[name] = transcribe(response_format=name)
recording.seek(0)
texts['json'] = transcribe(prompt='A speech.', language='en', temperature=0).text
recording.seek(0)
texts['translation'] = client.audio.translations.create(model='whisper-1', file=recording).text
print(json.dumps(texts))
",
    );
    for (format, begins) in
        [("text", "And so"), ("json", "And so"), ("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n"), ("translation", "And so")]
    {
        let text = texts[format].as_str().unwrap();
        assert!(text.starts_with(begins), "{format}: {text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(format == "srt" || format == "vtt" || words.contains(SAID), "{format}: {text}");
    }
}

#[test]
fn the_client_reads_times_of_words_and_segments() {
    let answers = python(
        "
answers = {}
for name, granularities in [('both', ['word', 'segment']), ('words', ['word']), ('segments', ['segment'])]:
    recording.seek(0)
    answer = transcribe(response_format='verbose_json', timestamp_granularities=granularities)
    answers[name] = {
        'words': [[word.word, word.start, word.end] for word in answer.words or []],
        'segments': [[segment.text, segment.start, segment.end] for segment in answer.segments or []],
    }
answers['language'], answers['duration'] = answer.language, float(answer.duration)
print(json.dumps(answers))
",
    );
    let counts = |name: &str| ["words", "segments"].map(|kind| !answers[name][kind].as_array().unwrap().is_empty());
    assert_eq!((counts("both"), counts("words"), counts("segments")), ([true, true], [true, false], [false, true]));
    assert_eq!((&answers["language"], &answers["duration"]), (&"english".into(), &11.0.into()));
    assert_eq!(answers["both"]["words"][3][0], "fellow");
}

#[test]
fn the_client_is_told_the_text_as_it_comes() {
    let events = python(
        "
events = [event.model_dump() for event in transcribe(stream=True, prompt='A stream.')]
print(json.dumps(events))
",
    );
    let events = events.as_array().unwrap();
    let (done, deltas) = events.split_last().unwrap();
    assert_eq!(done["type"], "transcript.text.done");
    assert!(done["text"].as_str().unwrap().contains(SAID), "{done}");
    assert!(!deltas.is_empty());
    assert!(deltas.iter().all(|delta| delta["type"] == "transcript.text.delta"), "{deltas:?}");
    let text: String = deltas.iter().map(|delta| delta["delta"].as_str().unwrap()).collect();
    assert_eq!(text.trim(), done["text"]);
}

#[test]
fn the_client_knows_the_errors() {
    let answers = python(
        "
answers = []
def note(call):
    try:
        recording.seek(0)
        call()
    except openai.APIStatusError as error:
        answers.append([type(error).__name__, error.status_code, error.param, error.code])
    except openai.APIError as error:
        answers.append([type(error).__name__, None, error.param, error.code])
create = client.audio.transcriptions.create
note(lambda: create(model='gpt-9', file=recording))
note(lambda: transcribe(response_format='poem'))
note(lambda: transcribe(temperature=2))
note(lambda: transcribe(timestamp_granularities=['word']))
note(lambda: create(model='whisper-1', file=('a.mp3', b'no recording')))
note(lambda: list(create(model='whisper-1', file=('a.mp3', b'no recording'), stream=True)))
note(lambda: client.models.retrieve('gpt-9'))
answers.append([model.id for model in client.models.list()][:2])
print(json.dumps(answers))
",
    );
    let expected = serde_json::json!([
        ["NotFoundError", 404, "model", "model_not_found"],
        ["BadRequestError", 400, "response_format", null],
        ["BadRequestError", 400, "temperature", null],
        ["BadRequestError", 400, "timestamp_granularities[]", null],
        ["BadRequestError", 400, "file", "invalid_file"],
        ["APIError", null, "file", "invalid_file"],
        ["NotFoundError", 404, "model", "model_not_found"],
        ["whisper-1", "tiny"],
    ]);
    assert_eq!(answers, expected);
}
