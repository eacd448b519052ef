//! The web page in a real Chromium, with the real services, workers and models.

use std::collections::BTreeSet;

use serde_json::Value;
use test_stack::audio::repeated_sample;

use crate::{
    browser::{DESKTOP, PHONE, Window},
    service::Service,
};

const LINES: &str = "document.querySelectorAll('.transcript li').length";
const TIME: &str = "document.querySelector('audio').currentTime";
const PAUSED: &str = "document.querySelector('audio').paused";
const PLAYABLE: &str = "!document.querySelector('.play').disabled";
const COMPLETED: &str = "document.querySelector('.job-head .status.completed')";

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_becomes_text_that_grows_and_plays() {
    let service = Service::start();
    let Some(window) = Window::open(service.url()).await else { return };
    window.wait_until("!document.querySelector('.empty').hidden").await;
    window.screenshot("new-job").await;

    let recording = repeated_sample(120);
    window.choose_file("input[type=file]", recording.path()).await;
    window.run("document.querySelector('[name=language]').value = 'en'").await;
    window.click(".new-job [type=submit]").await;
    window.wait_until("location.hash.startsWith('#/jobs/')").await;

    let lengths = lengths_while_it_runs(&window).await;
    assert!(lengths.len() >= 2, "the text did not grow before the job's end: {lengths:?} lines");
    window.wait_until("document.querySelector('.exports a')?.href").await;
    let job: String = window.ask("decodeURIComponent(location.hash.slice(7))").await;
    let transcript = service.json(&format!("/v1/jobs/{job}/transcript.json")).await;
    let segments = transcript["segments"].as_array().unwrap();
    window.wait_until(&format!("{LINES} === {}", segments.len())).await;

    click_to_seek(&window, segments).await;
    listen_with_keys(&window, segments).await;
    ask_again(&window).await;

    window.resize(DESKTOP, "dark").await;
    window.screenshot("job-dark").await;
    window.resize(PHONE, "light").await;
    window.screenshot("job-phone").await;
    let overflow: bool = window.ask("document.documentElement.scrollWidth > innerWidth").await;
    assert!(!overflow, "the page is wider than a phone");

    hours_of_text_stay_in_order(&window).await;
    assert_eq!(window.complaints(), [""; 0]);
    window.close().await;
}

/// How many lines there were at a time, until the job ended.
async fn lengths_while_it_runs(window: &Window) -> BTreeSet<u32> {
    window.wait_until(&format!("{LINES} > 0")).await;
    window.screenshot("job-live").await;
    let mut lengths = BTreeSet::new();
    loop {
        let script = format!("[document.querySelector('.job-head .status').classList.contains('running'), {LINES}]");
        let (running, lines): (bool, u32) = window.ask(&script).await;
        if !running {
            window.wait_until(COMPLETED).await;
            return lengths;
        }
        lengths.insert(lines);
        window.wait_until(&format!("{LINES} > {lines} || !document.querySelector('.job-head .running')")).await;
    }
}

async fn click_to_seek(window: &Window, segments: &[Value]) {
    window.wait_until(PLAYABLE).await;
    let word = &segments[1]["words"][3];
    window
        .run(
            "window.sought = new Promise(tell => { const audio = document.querySelector('audio');
                audio.addEventListener('seeked', () => tell(audio.currentTime), { once: true }); })",
        )
        .await;
    window.click(".transcript li:nth-child(2) .word:nth-child(4)").await;
    let sought: f64 = window.ask("sought").await;
    let start = word["start"].as_f64().unwrap();
    assert!((sought - start).abs() < 0.25, "the player went to {sought} for the word at {start}");
    window.wait_until(&format!("!{PAUSED} && {TIME} > {start}")).await;
    window.screenshot("job-spoken").await;
}

async fn listen_with_keys(window: &Window, segments: &[Value]) {
    window.press(" ").await;
    window.wait_until(PAUSED).await;
    let here: f64 = window.ask(TIME).await;
    let marked: String = window.ask("document.querySelector('[aria-current=true]').innerText").await;
    let spoken = segments.iter().rfind(|segment| segment["start"].as_f64().unwrap() <= here).unwrap();
    assert!(marked.ends_with(spoken["text"].as_str().unwrap().trim()), "{marked:?} is marked at {here}: {spoken}");

    for (key, by) in [("ArrowRight", 5.0), ("ArrowLeft", -5.0)] {
        let before: f64 = window.ask(TIME).await;
        window.press(key).await;
        window.wait_until(&format!("Math.abs({TIME} - {}) < 0.1", before + by)).await;
    }

    window.run("document.querySelector('.delete').focus()").await;
    window.press("Tab").await;
    window.wait_until("document.activeElement.matches('.transcript .time')").await;
    window.press("Home").await;
    window.press("ArrowDown").await;
    window.press("ArrowDown").await;
    window.wait_until("document.activeElement.closest('li') === document.querySelectorAll('.transcript li')[2]").await;
    // Text that is selected elsewhere keeps nobody from playing.
    window.run("getSelection().selectAllChildren(document.querySelector('.job-title'))").await;
    window.press("Enter").await;
    let start = segments[2]["start"].as_f64().unwrap();
    window.wait_until(&format!("!{PAUSED} && {TIME} >= {start} && {TIME} < {}", start + 3.0)).await;
    window.press(" ").await;
    window.wait_until(PAUSED).await;
}

/// The language model writes again what nobody has asked for before.
async fn ask_again(window: &Window) {
    window.click(".again [data-task=summary]").await;
    window.wait_until("document.querySelector('.answer.summary')?.innerText.length > 20").await;
    window.screenshot("job-summary").await;
}

/// Chunks that end in any order are read in theirs, and the keys go through all of them; the text is put where the job's was.
async fn hours_of_text_stay_in_order(window: &Window) {
    let inserted: Vec<u32> = window
        .ask(
            "import('/page/transcript.js').then(async ({ Transcript }) => {
                const list = document.createElement('div');
                document.querySelector('.transcript').replaceWith(list);
                list.className = 'transcript';
                const transcript = new Transcript(list, { onSeek() {} });
                for (let chunk = 0; chunk < 2000; chunk += 1) {
                    const start = (chunk * 1237 % 2000) * 7;
                    transcript.add([{ start, end: start + 6, text: String(start / 7), words: [] }]);
                    if (chunk % 100 === 0) await new Promise(requestAnimationFrame);
                }
                await new Promise(requestAnimationFrame);
                return [...list.querySelectorAll('p')].map(line => Number(line.textContent));
            })",
        )
        .await;
    assert_eq!(inserted, (0..2000).collect::<Vec<_>>());

    window.run("document.querySelector('.transcript .time').focus()").await;
    for (keys, line) in [(&["End"][..], 1999), (&["Home"], 0), (&["ArrowDown"; 18], 18), (&["ArrowUp"], 17)] {
        for key in keys {
            window.press(key).await;
        }
        window
            .wait_until(&format!("document.activeElement.parentElement.lastElementChild.textContent === '{line}'"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_cancelled_and_what_is_wrong_is_said_in_its_place() {
    let service = Service::start();
    let Some(window) = Window::open(service.url()).await else { return };
    let recording = repeated_sample(1800);
    window.choose_file("input[type=file]", recording.path()).await;
    window.click(".new-job [type=submit]").await;
    window.wait_until(&format!("{LINES} > 0")).await;
    window.click(".job-head .cancel").await;
    window.wait_until("document.querySelector('.job-head .status.cancelled')").await;
    // What it had until then stays, and can be taken along.
    window.wait_until(&format!("{LINES} > 0 && document.querySelector('.exports a')?.href")).await;
    window.wait_until("document.querySelector('.job-facts').textContent.includes('cancelled')").await;
    window.screenshot("job-cancelled").await;
    let job: String = window.ask("decodeURIComponent(location.hash.slice(7))").await;
    assert_eq!(service.json(&format!("/v1/jobs/{job}")).await["status"], "cancelled");
    let text = service.get(&format!("/v1/jobs/{job}/transcript.txt")).await;
    assert_eq!((text.status().as_u16(), &text.headers()["x-longhand-status"]), (200, &"cancelled".parse().unwrap()));
    assert!(text.text().await.unwrap().contains("my fellow Americans"));
    assert_eq!(window.complaints(), [""; 0]);

    window.click(".back").await;
    window.wait_until("document.querySelector('.job-list .cancelled')").await;
    window.type_into("[name=url]", "ftp://example.org/talk.mp3").await;
    window.click(".new-job [type=submit]").await;
    window.wait_until("document.querySelector('.new-job .error').textContent.includes('ftp')").await;
    window.screenshot("refused").await;

    window.run("location.hash = '#/jobs/nobody'").await;
    window.wait_until("document.querySelector('.job-error')?.textContent.includes('nobody')").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_asks_for_the_key_that_the_services_want() {
    // The hash is that of `open sesame`.
    let keys = tempfile::NamedTempFile::new().unwrap();
    let line = "reader 41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb\n";
    std::fs::write(keys.path(), line).unwrap();
    let service = Service::start_with(&[("LONGHAND_API_KEYS", keys.path().to_str().unwrap())]);
    service.transcribe("reader:done", &["--words"]);
    let Some(window) = Window::open(&format!("{}/#/jobs/done", service.url())).await else { return };
    for key in ["wrong", "open sesame"] {
        window.wait_until("document.querySelector('#ask-key').open").await;
        window.type_into("#ask-key input", key).await;
        window.press("Enter").await;
    }
    window.wait_until(COMPLETED).await;
    window.wait_until(&format!("{LINES} > 0 && {PLAYABLE}")).await;
    window.close().await;
}
