//! A window of a real Chromium. It is clicked and typed into as a user does; what it shows is asked in JavaScript.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chromiumoxide::{
    Browser, BrowserConfig, Page,
    cdp::{
        browser_protocol::{
            dom::SetFileInputFilesParams,
            emulation::{MediaFeature, SetDeviceMetricsOverrideParams},
            log::EventEntryAdded,
        },
        js_protocol::runtime::{EvaluateParams, EventExceptionThrown},
    },
    page::ScreenshotParams,
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// How long anything may take before the test says what it waited for.
const PATIENCE: Duration = Duration::from_secs(240);

/// Sizes in CSS pixels.
pub(crate) const DESKTOP: (i64, i64) = (1280, 860);
pub(crate) const PHONE: (i64, i64) = (390, 844);

pub(crate) struct Window {
    browser: Browser,
    page: Page,
    /// What the page did wrong by its console.
    complaints: Arc<Mutex<Vec<String>>>,
    _profile: TempDir,
}

impl Window {
    /// `None`, with a word about it, where there is no Chromium.
    pub(crate) async fn open(url: &str) -> Option<Self> {
        engine::tls::install_provider();
        let profile = TempDir::new().unwrap();
        let config = BrowserConfig::builder().new_headless_mode().user_data_dir(profile.path());
        // Names of the documentation are this machine's.
        let config = config.arg("host-resolver-rules=MAP *.example.org 127.0.0.1");
        // Root, as in containers, has no sandbox to offer; there is no sound card either.
        let config = match config.no_sandbox().viewport(None).arg("mute-audio").build() {
            Ok(config) => config,
            Err(missing) => {
                assert!(std::env::var_os("CI").is_none(), "Chromium is missing: {missing}");
                eprintln!("skipped: there is no Chromium ({missing}); install Debian's chromium");
                return None;
            }
        };
        let (browser, mut events) = Browser::launch(config).await.unwrap();
        tokio::spawn(async move { while events.next().await.is_some() {} });
        let page = browser.new_page("about:blank").await.unwrap();
        let complaints = Arc::default();
        listen(&page, &complaints).await;
        let window = Self { browser, page, complaints, _profile: profile };
        window.resize(DESKTOP, "light").await;
        window.page.goto(url).await.unwrap();
        Some(window)
    }

    /// Of this size, in a `light` or `dark` surrounding.
    pub(crate) async fn resize(&self, (width, height): (i64, i64), scheme: &str) {
        let phone = (width, height) == PHONE;
        self.page.execute(SetDeviceMetricsOverrideParams::new(width, height, 1.0, phone)).await.unwrap();
        self.page.emulate_media_features(vec![MediaFeature::new("prefers-color-scheme", scheme)]).await.unwrap();
    }

    /// The value of an expression; of a promise, what it resolves to.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, expression: &str) -> T {
        let evaluation = EvaluateParams::builder().expression(expression).await_promise(true).return_by_value(true);
        let answer = self.page.evaluate_expression(evaluation.build().unwrap()).await;
        answer.unwrap_or_else(|error| panic!("{expression}: {error}")).into_value().unwrap()
    }

    /// Runs a statement. What comes of it is not waited for.
    pub(crate) async fn run(&self, statement: &str) {
        let run = format!("{statement}; null");
        self.page.evaluate_expression(run.as_str()).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    pub(crate) async fn wait_until(&self, condition: &str) {
        let started = Instant::now();
        while !self.ask::<bool>(&format!("Boolean({condition})")).await {
            if started.elapsed() > PATIENCE {
                let shown: String = self.ask("document.body.innerText").await;
                panic!("waited in vain: {condition}\n{shown}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Clicks with the mouse what the selector finds first.
    pub(crate) async fn click(&self, selector: &str) {
        self.page.find_element(selector).await.unwrap().click().await.unwrap();
    }

    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        self.page.find_element(selector).await.unwrap().click().await.unwrap().type_str(text).await.unwrap();
    }

    /// Presses a key, wherever the focus is.
    pub(crate) async fn press(&self, key: &str) {
        self.page.find_element("body").await.unwrap().press_key(key).await.unwrap();
    }

    pub(crate) async fn choose_file(&self, selector: &str, file: &Path) {
        let node = self.page.find_element(selector).await.unwrap().node_id;
        let chosen = SetFileInputFilesParams::builder().file(file.to_str().unwrap()).node_id(node);
        self.page.execute(chosen.build().unwrap()).await.unwrap();
    }

    /// Kept below cargo's target folder, for whoever wants to see what the test saw.
    pub(crate) async fn screenshot(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.png"));
        self.page.save_screenshot(ScreenshotParams::default(), file).await.unwrap();
    }

    /// Errors in the console, uncaught exceptions, and answers that were no success.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap().clone()
    }

    pub(crate) async fn close(mut self) {
        self.browser.close().await.unwrap();
        self.browser.wait().await.unwrap();
    }
}

async fn listen(page: &Page, complaints: &Arc<Mutex<Vec<String>>>) {
    let entries = page.event_listener::<EventEntryAdded>().await.unwrap();
    let entries = entries.map(|added| format!("{:?}: {} {:?}", added.entry.level, added.entry.text, added.entry.url));
    let exceptions = page.event_listener::<EventExceptionThrown>().await.unwrap();
    let exceptions = exceptions.map(|thrown| format!("{:?}", thrown.exception_details));
    let mut all = futures_util::stream::select(entries, exceptions);
    let complaints = Arc::clone(complaints);
    tokio::spawn(async move {
        while let Some(complaint) = all.next().await {
            complaints.lock().unwrap().push(complaint);
        }
    });
}
