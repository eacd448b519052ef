//! A job's result for human readers.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

/// What the demo shows of a job's result; `longhand` documents all of it.
#[derive(Deserialize)]
struct JobResult {
    job_id: String,
    text: String,
    language: String,
    duration_s: f64,
    #[serde(default)]
    errors: Vec<StageFailure>,
    llm: BTreeMap<String, Value>,
    timings: Timings,
}

#[derive(Deserialize)]
struct StageFailure {
    stage: String,
    message: String,
}

#[derive(Deserialize)]
struct Timings {
    queue_s: f64,
    ingest_s: f64,
    transcribe_s: f64,
    recogniser_s: f64,
    llm_s: f64,
    wall_s: f64,
}

const WIDTH: usize = 88;

pub(super) fn render(result: &str, web_interface: &str) -> anyhow::Result<String> {
    let result: JobResult = serde_json::from_str(result).context("the job's result is not understood")?;
    let mut report = String::new();
    let JobResult { job_id, text, language, duration_s, errors, llm, timings } = result;
    writeln!(report, "\nTranscript ({language}, {duration_s:.1} s)\n{}", indented(text.trim()))?;
    for (task, output) in llm {
        let output = output.as_str().map_or_else(|| output.to_string(), str::to_owned);
        writeln!(report, "\n{}\n{}", capitalised(&task), indented(output.trim()))?;
    }
    for StageFailure { stage, message } in errors {
        writeln!(report, "\n{} failed\n{}", capitalised(&stage), indented(&message))?;
    }
    let Timings { queue_s, ingest_s, transcribe_s, recogniser_s, llm_s, wall_s } = timings;
    writeln!(report, "\nWhere the time went")?;
    writeln!(report, "  queue       {queue_s:6.2} s")?;
    writeln!(report, "  ingest      {ingest_s:6.2} s")?;
    writeln!(report, "  transcribe  {transcribe_s:6.2} s   (the recogniser itself {recogniser_s:.2} s)")?;
    writeln!(report, "  llm         {llm_s:6.2} s")?;
    writeln!(report, "  all of it   {wall_s:6.2} s")?;
    writeln!(report, "\nTemporal's web interface\n  {web_interface}/namespaces/default/workflows/{job_id}")?;
    writeln!(report, "  (while the demo runs: --keep keeps it up)")?;
    Ok(report)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Breaks lines between words and sets them off from the headings.
fn indented(text: &str) -> String {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            line.push(' ');
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.iter().map(|line| format!(" {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn a_report_shows_transcript_answers_failures_and_times() {
        let result = r#"{
            "version": 1, "job_id": "job-1", "status": "completed_with_errors", "language": "en", "duration_s": 11.04,
            "text": " And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country. ",
            "errors": [{"stage": "llm:chapters", "message": "the endpoint is down"}],
            "llm": {"summary": "A call to serve.", "actions": ["ask"]},
            "timings": {"queue_s": 0.031, "ingest_s": 0.2, "transcribe_s": 1.25, "recogniser_s": 0.9, "llm_s": 12.5, "wall_s": 14.0}
        }"#;
        let expected = "
Transcript (en, 11.0 s)
  And so, my fellow Americans, ask not what your country can do for you, ask what you can
  do for your country.

Actions
  [\"ask\"]

Summary
  A call to serve.

Llm:chapters failed
  the endpoint is down

Where the time went
  queue         0.03 s
  ingest        0.20 s
  transcribe    1.25 s   (the recogniser itself 0.90 s)
  llm          12.50 s
  all of it    14.00 s

Temporal's web interface
  http://127.0.0.1:8233/namespaces/default/workflows/job-1
  (while the demo runs: --keep keeps it up)
";
        assert_eq!(render(result, "http://127.0.0.1:8233").unwrap(), expected);
    }
}
