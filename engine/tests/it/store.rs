//! What the store promises, on a folder. The command line's tests run a whole job on S3.

use std::io;

use bytes::Bytes;
use engine::{
    config::StoreSettings,
    store::{Created, Store, StoreError},
};
use futures_util::stream;
use serde_json::{Value, json};
use tempfile::TempDir;

fn open(url: &str) -> Result<Store, StoreError> {
    Store::open(&StoreSettings { url: Some(url.to_owned()) })
}

#[tokio::test]
async fn objects_are_written_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path().to_str().unwrap()).unwrap();
    assert!(matches!(store.read("a/none").await, Err(StoreError::NotFound { key }) if key == "a/none"));
    assert!(!store.exists("a/one.json").await.unwrap());
    assert_eq!(store.create_json("a/one.json", &json!({"n": 1})).await.unwrap(), Created::Now);
    assert_eq!(store.create_json("a/one.json", &json!({"n": 2})).await.unwrap(), Created::Before);
    assert_eq!(store.read_json::<Value>("a/one.json").await.unwrap(), json!({"n": 1}));
    store.write_json("a/one.json", &json!({"n": 3})).await.unwrap();
    assert_eq!(store.find_json::<Value>("a/one.json").await.unwrap(), Some(json!({"n": 3})));

    let pieces = (0..8_u8).map(|piece| Ok::<_, StoreError>(Bytes::from(vec![piece; 1 << 20])));
    store.write_stream("a/large", stream::iter(pieces)).await.unwrap();
    assert_eq!(store.read_range("a/large", (3 << 20) - 1, 2).await.unwrap().as_ref(), [2, 3]);
    let broken = [Ok(Bytes::from_static(b"half")), Err(StoreError::NotFound { key: "the source".to_owned() })];
    assert!(store.write_stream("a/broken", stream::iter(broken)).await.is_err());

    let mut listed = store.list("a").await.unwrap();
    listed.sort_unstable();
    assert_eq!(listed, ["a/large", "a/one.json"], "nothing is left of a stream that broke");
}

#[tokio::test]
async fn what_cannot_be_read_counts_as_not_there_and_is_replaced() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path().to_str().unwrap()).unwrap();
    let good = json!({"n": 1, "text": "all of it"});
    store.write_json("a/whole.json", &good).await.unwrap();
    let whole = store.read("a/whole.json").await.unwrap();
    for damaged in [Bytes::new(), whole.slice(..whole.len() / 2), Bytes::from_static(b"\0\xff")] {
        store.write("a/one.json", damaged).await.unwrap();
        assert!(matches!(store.read_json::<Value>("a/one.json").await, Err(StoreError::Corrupt { .. })));
        assert_eq!(store.find_json::<Value>("a/one.json").await.unwrap(), None);
        assert_eq!(store.create_json("a/one.json", &good).await.unwrap(), Created::Now);
        assert_eq!(store.read_json::<Value>("a/one.json").await.unwrap(), good);
    }
    for (offset, length) in [(0, 1000), (1000, 10), (whole.len() as u64 - 1, 2)] {
        let error = store.read_range("a/whole.json", offset, length).await.unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt { .. }), "{offset}, {length}: {error}");
    }
    assert!(matches!(store.read_range("a/none", 0, 1).await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn objects_in_a_folder_are_files() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path().to_str().unwrap()).unwrap();
    store.write("talks/one", "speech").await.unwrap();
    let file = store.open_file("talks/one").await.unwrap().unwrap();
    assert_eq!(io::read_to_string(file).unwrap(), "speech");
    for none in ["talks/two", "talks"] {
        let error = store.open_file(none).await.unwrap_err();
        assert!(matches!(&error, StoreError::NotFound { key } if key == none), "{error}");
    }
}

#[test]
fn an_address_that_is_no_store_is_refused_by_name() {
    for (url, reason) in [("ftp://host/x", "only a folder or s3://bucket/prefix"), ("/dev/null/x", "Not a directory")] {
        let error = open(url).unwrap_err().to_string();
        assert!(error.contains(url) && error.contains(reason) && error.contains("LONGHAND_STORE"), "{error}");
    }
}
