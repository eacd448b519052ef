//! `build.html`: a page without any other file, with a chart of all steps over time.

use anyhow::Result;

use super::document::Document;

const PAGE: &str = include_str!("page.html");

pub(super) fn page(document: &Document<'_>) -> Result<String> {
    // Only `</` could end the script element that holds the data.
    let data = serde_json::to_string(document)?.replace("</", "<\\/");
    Ok(PAGE.replacen("__BUILD__", &data, 1))
}
