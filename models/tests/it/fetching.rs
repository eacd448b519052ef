//! Fetching over real connections: what is resumed, refused, shared and remembered.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use engine::{
    config::Quantisation,
    error::{FailureKind, StageError},
    hash::hexadecimal,
};
use models::{Asset, Cache, FetchError, FetchEvent, Format, Pin, Source, ensure};
use sha2::{Digest, Sha256};

use crate::file_server::{Answer, FileServer, dead_url, gate};

/// Enough for several reads from a socket.
const SIZE: usize = 1 << 20;

fn content() -> Vec<u8> {
    (0..SIZE as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn pin(content: &[u8]) -> Pin {
    Pin { sha256: hexadecimal(&Sha256::digest(content)), size: Some(content.len() as u64) }
}

fn asset(sources: Vec<Source>) -> Asset {
    Asset {
        name: "the test model".to_owned(),
        file: PathBuf::from("models/test.bin"),
        executable: false,
        on_path: None,
        sources,
        alternative: "name your own in LONGHAND_MODEL".to_owned(),
    }
}

fn at(url: String) -> Source {
    Source::Address { url, pin: pin(&content()) }
}

fn cache_in(folder: &Path) -> Cache {
    Cache { folder: folder.to_owned(), hub: dead_url(), stall_limit: Duration::from_secs(1) }
}

/// Fetches and keeps what was told meanwhile.
async fn fetch(asset: &Asset, cache: &Path) -> (Result<PathBuf, FetchError>, Vec<FetchEvent>) {
    let events = Mutex::new(Vec::new());
    let result = ensure(asset, &cache_in(cache), &|event| events.lock().unwrap().push(event)).await;
    (result, events.into_inner().unwrap())
}

#[tokio::test]
async fn a_cut_transfer_goes_on_where_it_stopped() {
    const CUT: usize = 300_000;
    // A server without ranges sends everything again, over what is there.
    for second in [Answer::Serve, Answer::IgnoreRange] {
        let server = FileServer::start(content(), vec![Answer::CutAfter(CUT), second]);
        let cache = tempfile::tempdir().unwrap();
        let (result, _) = fetch(&asset(vec![at(server.url())]), cache.path()).await;
        assert_eq!(std::fs::read(result.unwrap()).unwrap(), content());
        assert_eq!(server.requests(), [None, Some(CUT)]);
    }
}

#[tokio::test]
async fn an_interrupted_fetch_is_continued_by_the_next_one() {
    const CUT: usize = 100_000;
    let down = Answer::Status("503 Service Unavailable");
    let server = FileServer::start(content(), vec![Answer::CutAfter(CUT), down, Answer::Serve]);
    let cache = tempfile::tempdir().unwrap();
    let asset = asset(vec![at(server.url())]);

    assert!(fetch(&asset, cache.path()).await.0.is_err());
    assert!(!cache.path().join(&asset.file).exists(), "an incomplete file was visible");
    assert_eq!(std::fs::read(fetch(&asset, cache.path()).await.0.unwrap()).unwrap(), content());
    assert_eq!(server.requests(), [None, Some(CUT), Some(CUT)]);
}

#[tokio::test]
async fn a_transfer_that_stalls_is_given_up_and_continued_by_the_next_one() {
    for (stalling, received) in
        [(Answer::StallAfter(0), None), (Answer::StallAfter(900), Some(900)), (Answer::Trickle, None)]
    {
        let server = FileServer::start(content(), vec![stalling, Answer::Serve]);
        let cache = tempfile::tempdir().unwrap();
        let asset = asset(vec![at(server.url())]);
        let error = fetch(&asset, cache.path()).await.0.unwrap_err();
        assert!(error.to_string().contains(&format!("{}: it has stalled: ", server.url())), "{error}");
        assert_eq!(StageError::from(error).kind, FailureKind::Transient);

        assert_eq!(std::fs::read(fetch(&asset, cache.path()).await.0.unwrap()).unwrap(), content());
        let requests = server.requests();
        assert_eq!((requests.len(), requests[0]), (2, None), "a stalled server was asked again at once");
        assert!(requests[1] == received || requests[1].is_some_and(|start| start < 900), "{requests:?}");
    }
}

#[tokio::test]
async fn errors_tell_whether_trying_again_can_help() {
    use FailureKind::{Setup, Transient};
    let mut forged = content();
    forged[0] ^= 1;
    let forger = FileServer::start(forged, vec![Answer::Serve]);
    let missing = FileServer::start(Vec::new(), vec![Answer::Status("404 Not Found")]);
    let busy = FileServer::start(Vec::new(), vec![Answer::Status("503 Service Unavailable")]);
    let limited = FileServer::start(Vec::new(), vec![Answer::Status("429 Too Many Requests")]);
    let cut = FileServer::start(content(), vec![Answer::CutAfter(1000), Answer::CutAfter(0)]);
    for (urls, kind) in [
        (vec![dead_url()], Transient),
        (vec![busy.url()], Transient),
        (vec![limited.url()], Transient),
        (vec![cut.url()], Transient),
        (vec![missing.url()], Setup),
        (vec![forger.url()], Setup),
        (vec![missing.url(), dead_url()], Transient),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let sources = urls.iter().cloned().map(at).collect();
        let error = StageError::from(fetch(&asset(sources), cache.path()).await.0.unwrap_err());
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[tokio::test]
async fn a_mirror_stands_for_the_hub() {
    let server = FileServer::start(content(), vec![Answer::Serve]);
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache { hub: server.hub(), ..cache_in(folder.path()) };
    let source = at("https://huggingface.co/somebody/a-model/resolve/main/model.bin".to_owned());
    let fetched = ensure(&asset(vec![source]), &cache, &|_| {}).await.unwrap();
    assert_eq!(std::fs::read(fetched).unwrap(), content());
}

#[tokio::test]
async fn what_is_fetched_and_made_ready_is_at_hand() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache_in(folder.path());
    let is_at_hand = |format: Format| format.is_at_hand("tiny", &cache);
    let formats = [Format::Ggml(Quantisation::Q8_0), Format::Ggml(Quantisation::F16), Format::Ctranslate2];
    assert_eq!(formats.map(is_at_hand), [false; 3]);
    std::fs::create_dir_all(folder.path().join("models")).unwrap();
    std::fs::write(folder.path().join("models/ggml-tiny-q8_0.bin"), "weights").unwrap();
    assert_eq!(formats.map(is_at_hand), [true, false, false]);
    assert!(Format::Ctranslate2.is_at_hand("/models/own", &cache), "nothing is fetched for a path");
}

#[tokio::test]
async fn a_source_that_fails_gives_way_to_the_next() {
    let mut forged = content();
    forged[SIZE / 2] ^= 1;
    let endless = FileServer::start([forged.clone(), forged.clone()].concat(), vec![Answer::Serve]);
    let forger = FileServer::start(forged, vec![Answer::Serve]);
    let missing = FileServer::start(Vec::new(), vec![Answer::Status("404 Not Found")]);
    for (url, reason) in [
        (forger.url(), "are not the ones expected: SHA-256"),
        (missing.url(), "the server answered 404 Not Found"),
        (endless.url(), "its 1048576 bytes are not the ones expected: SHA-256"),
        (dead_url(), "Connection refused"),
    ] {
        let good = FileServer::start(content(), vec![Answer::Serve]);
        let cache = tempfile::tempdir().unwrap();
        let (result, events) = fetch(&asset(vec![at(url.clone()), at(good.url())]), cache.path()).await;
        assert_eq!(std::fs::read(result.unwrap()).unwrap(), content(), "after {url}");
        let refused = events.iter().find_map(|event| match event {
            FetchEvent::Refused { source, reason } if *source == url => Some(reason.clone()),
            _ => None,
        });
        assert!(refused.as_ref().is_some_and(|refused| refused.contains(reason)), "{reason}: {events:?}");
        assert!(matches!(events.last(), Some(FetchEvent::Done { source, .. }) if *source == good.url()));
    }
}

#[tokio::test]
async fn when_every_source_fails_the_error_names_each_with_its_reason_and_a_way_out() {
    let missing = FileServer::start(Vec::new(), vec![Answer::Status("404 Not Found")]);
    let (missing, dead) = (missing.url(), dead_url());
    let cache = tempfile::tempdir().unwrap();
    let error = fetch(&asset(vec![at(missing.clone()), at(dead.clone())]), cache.path()).await.0.unwrap_err();
    let target = cache.path().join("models/test.bin");
    assert_eq!(
        error.to_string(),
        format!(
            "the test model could not be fetched.\n  {missing}: the server answered 404 Not Found\n  \
             {dead}: Connection refused (os error 111)\n\
             Give this machine a way to one of these (HTTPS_PROXY is honoured; Python packages come from where pip \
             is configured to look), copy the file from another machine to {}, or name your own in LONGHAND_MODEL.",
            target.display()
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_fetch_once() {
    let (open, held) = gate();
    let server = FileServer::start(content(), vec![held]);
    let cache = tempfile::tempdir().unwrap();
    let asset = Arc::new(asset(vec![at(server.url())]));
    let tasks = [(); 2].map(|()| {
        let (asset, cache, open) = (Arc::clone(&asset), cache.path().to_owned(), open.clone());
        tokio::spawn(async move {
            // The server answers only once one of the two says that it waits for the other.
            let on_event = |event| {
                if event == FetchEvent::Waiting {
                    open.send(()).unwrap();
                }
            };
            ensure(&asset, &cache_in(&cache), &on_event).await
        })
    });
    for task in tasks {
        assert_eq!(std::fs::read(task.await.unwrap().unwrap()).unwrap(), content());
    }
    assert_eq!(server.requests(), [None]);
}

#[tokio::test]
async fn what_is_cached_needs_no_network_until_it_is_damaged() {
    let server = FileServer::start(content(), vec![Answer::Serve]);
    let cache = tempfile::tempdir().unwrap();
    let asset = asset(vec![at(server.url())]);
    let path = fetch(&asset, cache.path()).await.0.unwrap();

    let (again, events) = fetch(&asset, cache.path()).await;
    assert_eq!(again.unwrap(), path);
    assert_eq!(events, [FetchEvent::Cached { path: path.clone() }]);
    assert_eq!(server.requests().len(), 1);

    std::fs::write(&path, "truncated").unwrap();
    assert_eq!(std::fs::read(fetch(&asset, cache.path()).await.0.unwrap()).unwrap(), content());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_program_comes_out_of_its_archive_ready_to_run() {
    let script = b"#!/bin/sh\necho it runs\n";
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content) in [("LICENSE", b"free".as_slice()), ("tool", script)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, name, content).unwrap();
    }
    let archive = archive.into_inner().unwrap().finish().unwrap();
    let server = FileServer::start(archive.clone(), vec![Answer::Serve]);
    // The release's page gives a digest, but not always a size.
    let pin = Pin { size: None, ..pin(&archive) };
    let source = Source::Archive { url: server.url(), pin, member: "tool".to_owned() };
    let tool = Asset { file: PathBuf::from("bin/tool"), executable: true, ..asset(vec![source]) };

    let cache = tempfile::tempdir().unwrap();
    let path = fetch(&tool, cache.path()).await.0.unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(std::process::Command::new(path).output().unwrap().stdout, b"it runs\n");
}

#[tokio::test]
async fn a_users_own_model_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("my-model.bin");
    std::fs::write(&model, content()).unwrap();
    let weights = |model: String| async move {
        let cache = tempfile::tempdir().unwrap();
        Format::Ggml(Quantisation::Q8_0).weights(&model, &cache_in(cache.path()), &|_| {}).await
    };

    let found = weights(model.display().to_string()).await.unwrap();
    assert_eq!((found.path, found.sha256), (model, pin(&content()).sha256));
    for (model, complaint) in [
        ("tinny", "unknown model tinny: name one of tiny, tiny.en, base,"),
        ("missing.bin", "no model at missing.bin: check the path, or name one of tiny,"),
        ("models/", "no model at models/: check the path"),
    ] {
        let error = weights(model.to_owned()).await.unwrap_err().to_string();
        assert!(error.starts_with(complaint), "{error}");
    }
}
