use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::{
    BadSubtitles, Format, SubtitleChoices, SubtitleOptions, answers,
    cues::{Cue, in_order, of_segment},
};
use crate::{
    job::{SpeechOptions, SpeechTask},
    result::{JobResult, JobStatus, Provenance, ResultHead, Timings, VERSION},
    transcript::{Segment, Word},
};

fn segment(start: f64, end: f64, text: &str) -> Segment {
    Segment {
        start,
        end,
        text: text.to_owned(),
        tokens: vec![50, 51],
        temperature: 0.0,
        avg_logprob: -0.25,
        compression_ratio: 1.5,
        no_speech_prob: 0.125,
        ..Segment::default()
    }
}

/// Gives the words of `text`, in the recogniser's way with a leading space, the times `times`.
fn with_words(mut segment: Segment, times: &[(f64, f64)]) -> Segment {
    let words = segment.text.split_whitespace().zip(times);
    segment.words = words
        .map(|(word, &(start, end))| Word { word: format!(" {word}"), start, end, probability: 0.5, channel: None })
        .collect();
    segment
}

fn result(segments: Vec<Segment>) -> JobResult {
    let texts: Vec<_> = segments.iter().map(|segment| segment.text.as_str()).collect();
    JobResult {
        version: VERSION,
        job_id: "job-1".to_owned(),
        run_id: "run-1".to_owned(),
        status: JobStatus::Completed,
        name: None,
        errors: Vec::new(),
        warnings: Vec::new(),
        text: texts.join(" "),
        language: "de".to_owned(),
        duration_s: segments.iter().map(|segment| segment.end).fold(0.0, f64::max),
        segments: segments.into_iter().zip(0..).map(|(segment, id)| Segment { id, ..segment }).collect(),
        llm: Default::default(),
        timings: Timings::default(),
        provenance: Provenance::default(),
    }
}

fn cues(segments: &[Segment], options: &SubtitleOptions) -> Vec<Cue> {
    in_order(segments.iter().flat_map(|segment| of_segment(segment, options)).collect(), options)
}

/// Choices that differ from the defaults in every way.
fn choices() -> Vec<SubtitleChoices> {
    let none = SubtitleChoices::default();
    vec![
        none.clone(),
        SubtitleChoices { line_length: Some(20), lines: Some(1), ..none.clone() },
        SubtitleChoices { line_length: Some(16), lines: Some(4), longest: Some(3.0), ..none.clone() },
        SubtitleChoices { line_length: Some(60), lines: Some(3), reading_speed: Some(12.0), ..none.clone() },
        SubtitleChoices { shortest: Some(2.0), longest: Some(20.0), highlight_words: true, ..none },
    ]
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
            let document = format.render(&result, &SubtitleOptions::default()).unwrap();
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
    let options = SubtitleOptions { highlight_words: true, ..SubtitleOptions::default() };
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
            format.write_stored(&head, &stored[..], &options, &mut written).unwrap();
            let (written, rendered) = (String::from_utf8(written).unwrap(), format.render(&result, &options).unwrap());
            if matches!(format, Format::Json | Format::VerboseJson) {
                let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
                assert_eq!(value(&written), value(&rendered), "{name} as {format}");
            } else {
                assert_eq!(written, rendered, "{name} as {format}");
            }
        }
        let torn = &stored[..stored.windows(6).position(|part| part == b"\"text\"").unwrap() + 8];
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Json) {
            assert!(
                format.write_stored(&head, torn, &options, &mut Vec::new()).is_err(),
                "the beginning of {name} as {format}"
            );
        }
    }
}

#[test]
fn subtitles_fit_the_screen_and_follow_each_other() {
    for options in choices().iter().map(|choices| choices.resolve(Format::Vtt).unwrap()) {
        for (name, result) in hard_cases() {
            let mut free_from = 0;
            for cue in cues(&result.segments, &options) {
                assert!(cue.start >= free_from && cue.end > cue.start, "{name}: {cue:?}");
                assert!((1..=options.lines).contains(&cue.lines.len()), "{name}: {cue:?} with {options:?}");
                let fits = |line: &String| line.width() <= options.line_length && !line.trim().is_empty();
                assert!(cue.lines.iter().all(fits), "{name}: {cue:?} with {options:?}");
                free_from = cue.end;
            }
        }
    }
}

#[test]
fn subtitles_lose_no_letter() {
    // Subtitles of those who speak at once take turns.
    let sorted = |mut letters: Vec<char>| {
        letters.sort_unstable();
        letters.into_iter().collect::<String>()
    };
    let letters = |text: String| sorted(text.chars().filter(|letter| !letter.is_whitespace()).collect());
    for options in choices().iter().map(|choices| choices.resolve(Format::Vtt).unwrap()) {
        for (name, result) in hard_cases() {
            let said = result.segments.iter().map(|segment| segment.text.as_str()).collect();
            let shown = cues(&result.segments, &options).iter().map(|cue| cue.lines.concat()).collect();
            assert_eq!(letters(shown), letters(said), "{name} with {options:?}");
        }
    }
}

#[test]
fn a_subtitle_stays_as_long_as_it_is_asked_to() {
    let spoken = [segment(0.0, 1.0, "Twenty letters here."), segment(30.0, 30.2, "Aye.")];
    let length = |choices: SubtitleChoices| {
        let cues = cues(&spoken, &choices.resolve(Format::Srt).unwrap());
        cues.iter().map(|cue| cue.end - cue.start).collect::<Vec<_>>()
    };
    let none = SubtitleChoices::default();
    assert_eq!(length(none.clone()), [1000, 800]);
    assert_eq!(length(SubtitleChoices { shortest: Some(1.5), ..none.clone() }), [1500, 1500]);
    assert_eq!(length(SubtitleChoices { reading_speed: Some(10.0), ..none.clone() }), [2000, 800]);
    let bounded = SubtitleChoices { reading_speed: Some(5.0), longest: Some(3.0), shortest: Some(0.0), ..none };
    assert_eq!(length(bounded), [3000, 800]);
}

#[test]
fn words_are_marked_as_they_are_spoken() {
    let times = [(1.0, 1.4), (1.5, 2.0), (2.0, 2.5), (2.6, 3.0)];
    let spoken = with_words(segment(1.0, 3.0, "Fish & {chips}, please."), &times);
    let unknown = segment(4.0, 5.0, "No times.");
    let marked = result(vec![spoken, unknown]);
    let choices = SubtitleChoices { line_length: Some(15), highlight_words: true, ..SubtitleChoices::default() };
    for format in [Format::Vtt, Format::Ass] {
        let document = format.render(&marked, &choices.resolve(format).unwrap()).unwrap();
        insta::assert_snapshot!(format!("words_in_{format}"), document);
    }
}

#[test]
fn subtitles_that_cannot_be_are_refused() {
    let none = SubtitleChoices::default();
    for (choices, format, field, message) in [
        (
            SubtitleChoices { line_length: Some(9), ..none.clone() },
            Format::Srt,
            "line_length",
            "a line's length of 9 is out of range: give 10 to 200",
        ),
        (
            SubtitleChoices { lines: Some(0), ..none.clone() },
            Format::Vtt,
            "lines",
            "a number of lines of 0 is out of range: give 1 to 5",
        ),
        (
            SubtitleChoices { reading_speed: Some(f64::NAN), ..none.clone() },
            Format::Ass,
            "reading_speed",
            "a reading speed of NaN is out of range: give 5 to 100",
        ),
        (
            SubtitleChoices { shortest: Some(8.0), ..none.clone() },
            Format::Srt,
            "longest",
            "subtitles that stay for 8 s at least cannot stay for 7 s at most: make longest the larger",
        ),
        (
            SubtitleChoices { lines: Some(1), ..none.clone() },
            Format::Txt,
            "lines",
            "txt has no subtitles to shape: leave lines out, or ask for srt, vtt or ass",
        ),
        (
            SubtitleChoices { highlight_words: true, ..none.clone() },
            Format::Srt,
            "highlight_words",
            "srt cannot mark words as they are spoken: ask for vtt or ass",
        ),
    ] {
        let refused: BadSubtitles = choices.resolve(format).unwrap_err();
        assert_eq!((refused.field(), refused.to_string().as_str()), (field, message));
    }
    assert_eq!(none.resolve(Format::Txt), Ok(SubtitleOptions::default()));
}

#[test]
fn words_that_are_not_the_text_do_not_replace_it() {
    let mut spoken = with_words(segment(0.0, 3.0, "twenty one"), &[(0.0, 0.5), (2.5, 3.0)]);
    let options = SubtitleOptions::default();
    let exact = cues(&[spoken.clone()], &options);
    assert_eq!(exact.len(), 2, "cut at the pause: {exact:?}");
    spoken.text = "21".to_owned();
    let shown = cues(&[spoken], &options);
    assert_eq!((shown.len(), shown[0].lines.as_slice()), (1, &["21".to_owned()][..]));
}

#[test]
fn a_translation_is_told_as_one() {
    let mut translated = result(vec![segment(0.0, 1.0, "Good day.")]);
    translated.provenance.parameters = Some(SpeechOptions { task: SpeechTask::Translate, ..SpeechOptions::default() });
    let response: serde_json::Value =
        serde_json::from_str(&Format::VerboseJson.render(&translated, &SubtitleOptions::default()).unwrap()).unwrap();
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
    answered.name = Some("a_talk.mp3".to_owned());
    let spoken = |start, channel, text: &str| Segment { channel, ..segment(start, start + 2.0, text) };
    answered.segments = vec![
        spoken(0.0, Some(1), " One *star*."),
        spoken(2.5, Some(1), " And one <tag>."),
        spoken(4.0, Some(2), " So?"),
        spoken(70.0, Some(2), " Later."),
    ];
    insta::assert_snapshot!("document", Format::Md.render(&answered, &SubtitleOptions::default()).unwrap());
}

#[test]
fn formats_have_names() {
    for format in Format::ALL {
        assert_eq!(format.name().parse::<Format>().unwrap(), format);
    }
    assert_eq!(
        "docx".parse::<Format>().unwrap_err().to_string(),
        "unknown format \"docx\": name one of txt, json, verbose_json, srt, vtt, ass, tsv, md"
    );
}
