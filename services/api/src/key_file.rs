//! The file of API keys, read again where it has changed: a key that is taken out is let in no more.

use std::{path::PathBuf, time::Duration};

use engine::api_keys::{ApiKeys, KeysError};
use tokio::sync::watch;

/// Between two looks at the file. Read whole, as a file may be replaced, or lie behind links that are set anew.
const INTERVAL: Duration = Duration::from_secs(5);

/// The keys as they are now and will be.
///
/// # Errors
/// A file that is not there, not what is expected, or has no keys.
pub(crate) fn watch(file: PathBuf) -> Result<watch::Receiver<ApiKeys>, KeysError> {
    let keys = ApiKeys::read(&file)?;
    if keys.is_empty() {
        return Err(KeysError::Empty { file: file.display().to_string() });
    }
    let (sender, receiver) = watch::channel(keys);
    tokio::spawn(follow(file, sender));
    Ok(receiver)
}

async fn follow(file: PathBuf, keys: watch::Sender<ApiKeys>) {
    let mut complaint = String::new();
    loop {
        tokio::select! {
            () = keys.closed() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        let path = file.clone();
        match tokio::task::spawn_blocking(move || ApiKeys::read(&path)).await {
            Ok(Ok(read)) => {
                complaint.clear();
                replace(&keys, read);
            }
            Ok(Err(error)) if error.to_string() != complaint => {
                complaint = error.to_string();
                tracing::warn!(%error, "the API keys stay as they were");
            }
            Ok(Err(_)) => {}
            Err(error) => tracing::warn!(%error, "the API keys could not be read again"),
        }
    }
}

fn replace(keys: &watch::Sender<ApiKeys>, read: ApiKeys) {
    let count = read.iter().count();
    let is_news = keys.send_if_modified(|known| {
        let is_news = *known != read;
        *known = read;
        is_news
    });
    match (is_news, count) {
        (true, 0) => tracing::warn!("the file of API keys has none any more: nobody is let in"),
        (true, count) => tracing::info!(count, "the API keys have changed"),
        (false, _) => {}
    }
}
