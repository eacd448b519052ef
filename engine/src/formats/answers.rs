//! The LLM's answers as a person reads them.

use serde_json::Value;

use crate::{formats::subtitles::clock, result::JobResult};

/// All answers of a result, each under its task's name; empty when there are none.
pub fn answers(result: &JobResult) -> String {
    let sections = result.llm.iter().map(|(task, output)| format!("{}:\n{}", heading(task), answer(output)));
    sections.collect::<Vec<_>>().join("\n")
}

/// One answer, with a final newline: a text as it is, chapters with their times, a list as items,
/// anything else as JSON.
pub fn answer(output: &Value) -> String {
    let lines = match output {
        Value::String(text) => text.trim().to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => match items.iter().map(item).collect::<Option<Vec<_>>>() {
            Some(lines) => lines.join("\n"),
            None => format!("{output:#}"),
        },
        other => format!("{other:#}"),
    };
    lines + "\n"
}

fn heading(task: &str) -> String {
    let mut letters = task.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// `None` for what is neither a text nor a chapter.
fn item(item: &Value) -> Option<String> {
    match item {
        Value::String(text) => Some(format!("- {}", text.trim())),
        Value::Object(fields) => {
            let title = fields.get("title")?.as_str()?;
            Some(format!("[{}] {}", clock(fields.get("start")?.as_f64()?), title.trim()))
        }
        _ => None,
    }
}
