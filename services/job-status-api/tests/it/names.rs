//! The page takes recordings, whichever name of its own it is opened by.

use std::path::Path;

use test_stack::sample;

use crate::{browser::Window, one_host, service::Service};

#[tokio::test(flavor = "multi_thread")]
async fn recordings_are_taken_by_every_name_of_the_page() {
    let mut service = Service::without_workers();
    let [status_port, ingestion_port] =
        [service.url().to_owned(), service.stack.embedded().ingestion_url()].map(|url| port(&url).to_owned());
    // As compose publishes them.
    for page in ["127.0.0.1", "localhost"] {
        let url = format!("http://{page}:{status_port}");
        let Some(()) = upload_from(&url, &format!("127.0.0.1:{ingestion_port}")).await else { return };
    }

    let [status, ingestion] = [("status", &status_port), ("ingest", &ingestion_port)]
        .map(|(name, port)| format!("{name}.example.org:{port}"));
    service.publish_at(&format!("http://{status}"), &format!("http://{ingestion}"));
    upload_from(&format!("http://{status}"), &ingestion).await;

    // As the ingress of the Kubernetes example shows them.
    let proxy = one_host::serve(format!("127.0.0.1:{ingestion_port}"), format!("127.0.0.1:{status_port}")).await;
    let host = format!("longhand.example.org:{proxy}");
    service.publish_at(&format!("http://{host}"), &format!("http://{host}/ingest"));
    upload_from(&format!("http://{host}"), &format!("{host}/ingest")).await;
}

fn port(url: &str) -> &str {
    url.rsplit(':').next().unwrap()
}

/// Hands the sample in and takes it back. The requests have to reach the ingestion API at this place.
async fn upload_from(page: &str, ingestion: &str) -> Option<()> {
    let window = Window::open(page).await?;
    // Chromium reads no file whose path leads upwards.
    window.choose_file("input[type=file]", &Path::new(&sample()).canonicalize().unwrap()).await;
    window.click(".new-job [type=submit]").await;
    window.wait_until("location.hash.startsWith('#/jobs/') || !document.querySelector('.new-job .error').hidden").await;
    let shown: String = window.ask("document.body.innerText").await;
    let hash: String = window.ask("location.hash").await;
    assert!(hash.starts_with("#/jobs/"), "{page}: {shown}");
    let answered = |path: &str| {
        format!("performance.getEntriesByType('resource').some(({{ name }}) => name.includes('//{ingestion}{path}'))")
    };
    assert!(window.ask::<bool>(&answered("/v1/jobs")).await, "{page} sent nothing to {ingestion}");
    window.wait_until("!document.querySelector('.job-head .cancel').hidden").await;
    window.click(".job-head .cancel").await;
    window.wait_until(&answered("/v1/jobs/")).await;
    assert!(window.ask::<bool>("document.querySelector('.job-error').hidden").await, "{page}: it is not taken back");
    assert_eq!(window.complaints(), [""; 0], "{page}");
    window.close().await;
    Some(())
}
