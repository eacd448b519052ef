use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::{
    Format, answers,
    cues::{Cue, in_order, of_segment},
    language_name,
    lines::LINE,
};
use crate::{
    job::{SpeechOptions, SpeechTask},
    result::{JobResult, JobStatus, Provenance, ResultHead, Timings, VERSION},
    transcript::{Segment, Word},
};

fn segment(start: f64, end: f64, text: &str) -> Segment {
    Segment {
        id: 0,
        start,
        end,
        text: text.to_owned(),
        tokens: vec![50, 51],
        temperature: 0.0,
        avg_logprob: -0.25,
        compression_ratio: 1.5,
        no_speech_prob: 0.125,
        words: Vec::new(),
        flags: Vec::new(),
    }
}

/// Gives the words of `text`, in the recogniser's way with a leading space, the times `times`.
fn with_words(mut segment: Segment, times: &[(f64, f64)]) -> Segment {
    let words = segment.text.split_whitespace().zip(times);
    segment.words =
        words.map(|(word, &(start, end))| Word { word: format!(" {word}"), start, end, probability: 0.5 }).collect();
    segment
}

fn result(segments: Vec<Segment>) -> JobResult {
    let texts: Vec<_> = segments.iter().map(|segment| segment.text.as_str()).collect();
    JobResult {
        version: VERSION,
        job_id: "job-1".to_owned(),
        run_id: "run-1".to_owned(),
        status: JobStatus::Completed,
        errors: Vec::new(),
        text: texts.join(" "),
        language: "de".to_owned(),
        duration_s: segments.iter().map(|segment| segment.end).fold(0.0, f64::max),
        segments: segments.into_iter().zip(0..).map(|(segment, id)| Segment { id, ..segment }).collect(),
        llm: Default::default(),
        timings: Timings::default(),
        provenance: Provenance::default(),
    }
}

fn cues(segments: &[Segment]) -> Vec<Cue> {
    in_order(segments.iter().flat_map(of_segment).collect())
}

fn hard_cases() -> Vec<(&'static str, JobResult)> {
    let long = "And so, my fellow Americans, ask not what your country can do for you; ask what you can do \
                for your country. My fellow citizens of the world: ask not what America will do for you, but \
                what together we can do for the freedom of man.";
    vec![
        ("empty", result(Vec::new())),
        ("one_short", result(vec![segment(0.0, 0.1, "Yes.")])),
        ("long_segment", result(vec![segment(3.0, 24.0, long)])),
        ("hours", result(vec![segment(35_999.25, 36_003.5, "The tenth hour begins.")])),
        (
            "markup",
            result(vec![segment(0.0, 2.0, "a --> b & <i>c</i>"), segment(2.0, 4.0, " two\nlines\r\n\r\nhere ")]),
        ),
        (
            "overlapping",
            result(vec![
                segment(0.0, 5.0, "The first speaks."),
                segment(3.0, 8.0, "The second breaks in."),
                segment(3.0, 3.0, "So does the third."),
                segment(2.5, 2.6, "Out of order."),
            ]),
        ),
        (
            "paused_words",
            result(vec![with_words(segment(1.0, 9.5, "One moment please."), &[(1.0, 1.4), (1.4, 2.0), (9.0, 9.5)])]),
        ),
        (
            "no_spaces",
            result(vec![segment(
                0.0,
                12.0,
                "我们选择登月，不是因为它容易，而是因为它困难；因为这个目标将有助于组织和衡量我们最优秀的精力和技能。「好」他说。",
            )]),
        ),
        ("unbreakable", result(vec![segment(0.0, 4.0, &format!("See {}.", "x".repeat(100)))])),
    ]
}

#[test]
fn every_hard_case_in_every_format() {
    for format in Format::ALL {
        let documents = hard_cases().into_iter().map(|(name, result)| {
            let document = format.render(&result).unwrap();
            assert!(
                document.is_empty() || document.ends_with('\n') && !document.ends_with("\n\n"),
                "{name}: {document:?}"
            );
            format!("[{name}]\n{document}")
        });
        insta::assert_snapshot!(format.name(), documents.collect::<String>());
    }
}

#[test]
fn a_stored_result_is_written_as_one_in_memory() {
    for (name, result) in hard_cases() {
        let stored = serde_json::to_vec(&result).unwrap();
        let head = ResultHead::read(&stored[..]).unwrap();
        let (text, errors) = (result.text.clone(), &result.errors);
        assert_eq!((&head.job_id, head.status, &head.errors), (&result.job_id, result.status, errors), "{name}");
        assert_eq!((&head.provenance, head.duration_s), (&result.provenance, result.duration_s), "{name}");
        // Older ones have the head around the text.
        let older = json!({ "text": text, "segments": result.segments, "words": [], "job_id": head.job_id, "run_id": head.run_id,
            "status": head.status, "language": head.language, "duration_s": head.duration_s, "llm": head.llm,
            "timings": head.timings, "provenance": head.provenance });
        assert_eq!(ResultHead::read(older.to_string().as_bytes()).unwrap(), head, "{name}");
        for format in Format::ALL {
            let mut written = Vec::new();
            format.write_stored(&head, &stored[..], &mut written).unwrap();
            let (written, rendered) = (String::from_utf8(written).unwrap(), format.render(&result).unwrap());
            if matches!(format, Format::Json | Format::VerboseJson) {
                let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
                assert_eq!(value(&written), value(&rendered), "{name} as {format}");
            } else {
                assert_eq!(written, rendered, "{name} as {format}");
            }
        }
        let torn = &stored[..stored.windows(6).position(|part| part == b"\"text\"").unwrap() + 8];
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Json) {
            assert!(format.write_stored(&head, torn, &mut Vec::new()).is_err(), "the beginning of {name} as {format}");
        }
    }
}

#[test]
fn subtitles_fit_the_screen_and_follow_each_other() {
    for (name, result) in hard_cases() {
        let mut free_from = 0;
        for cue in cues(&result.segments) {
            assert!(cue.start >= free_from && cue.end > cue.start, "{name}: {cue:?}");
            assert!((1..=2).contains(&cue.lines.len()), "{name}: {cue:?}");
            assert!(cue.lines.iter().all(|line| line.width() <= LINE && !line.trim().is_empty()), "{name}: {cue:?}");
            free_from = cue.end;
        }
    }
}

#[test]
fn subtitles_lose_no_letter() {
    let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    for (name, mut result) in hard_cases() {
        result.segments.sort_by(|one, other| one.start.total_cmp(&other.start));
        let said: String = result.segments.iter().map(|segment| letters(&segment.text)).collect();
        let shown: String = cues(&result.segments).iter().map(|cue| letters(&cue.lines.concat())).collect();
        assert_eq!(shown, said, "{name}");
    }
}

#[test]
fn words_that_are_not_the_text_do_not_replace_it() {
    let mut spoken = with_words(segment(0.0, 3.0, "twenty one"), &[(0.0, 0.5), (2.5, 3.0)]);
    let exact = cues(&[spoken.clone()]);
    assert_eq!(exact.len(), 2, "cut at the pause: {exact:?}");
    spoken.text = "21".to_owned();
    let shown = cues(&[spoken]);
    assert_eq!((shown.len(), shown[0].lines.as_slice()), (1, &["21".to_owned()][..]));
}

#[test]
fn a_translation_is_told_as_one() {
    let mut translated = result(vec![segment(0.0, 1.0, "Good day.")]);
    translated.provenance.parameters = Some(SpeechOptions { task: SpeechTask::Translate, ..SpeechOptions::default() });
    let response: serde_json::Value = serde_json::from_str(&Format::VerboseJson.render(&translated).unwrap()).unwrap();
    assert_eq!((&response["task"], &response["language"]), (&json!("translate"), &json!("english")));
}

#[test]
fn answers_are_written_for_people() {
    let mut answered = result(Vec::new());
    assert_eq!(answers(&answered), "");
    answered.llm = [
        ("actions", json!(["Call Anna ", "Write the minutes"])),
        ("ask", json!({"mood": "calm"})),
        ("chapters", json!([{"title": "Opening", "start": 0.0, "end": 61.5}, {"title": "Close", "start": 3661.5, "end": 3700.0}])),
        ("summary", json!("A short talk.\n")),
    ]
    .map(|(task, output)| (task.to_owned(), output))
    .into();
    insta::assert_snapshot!(answers(&answered));
}

#[test]
fn names_of_formats_and_languages() {
    for format in Format::ALL {
        assert_eq!(format.name().parse::<Format>().unwrap(), format);
    }
    assert_eq!(
        "docx".parse::<Format>().unwrap_err().to_string(),
        "unknown format \"docx\": name one of txt, json, verbose_json, srt, vtt"
    );
    for (code, name) in [("af", Some("afrikaans")), ("de", Some("german")), ("zu", None), ("zh", Some("chinese"))] {
        assert_eq!(language_name(code), name);
    }
}
