//! `bench.html`: a page without any other file, with a chart per case.

use anyhow::Result;

use super::{report::Report, tables};

const PAGE: &str = include_str!("page.html");

pub(super) fn page(report: &Report) -> Result<String> {
    // Only `</` could end the elements that hold the data.
    let data = serde_json::to_string(report)?.replace("</", "<\\/");
    let titles: Vec<String> = report.results.iter().map(|result| result.case.to_string()).collect();
    let titles = serde_json::to_string(&titles)?.replace("</", "<\\/");
    let text = tables::notes(report).replace('&', "&amp;").replace('<', "&lt;");
    Ok(PAGE.replacen("__TEXT__", &text, 1).replacen("__TITLES__", &titles, 1).replacen("__BENCH__", &data, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench_build::tables::tests::report;

    #[test]
    fn the_page_holds_all_data_and_refers_to_nothing() {
        let mut report = report();
        report.project = "a</script>b".to_owned();
        let page = page(&report).unwrap();
        let data = page.split("id=\"bench\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data, serde_json::to_value(&report).unwrap());
        assert!(!page.contains("http") && !page.contains("src=") && !page.contains("__"), "{page}");
    }
}
