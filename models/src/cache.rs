//! Where fetched files are kept, and what holds for fetching them.

use std::{path::PathBuf, time::Duration};

use engine::config::{CacheSettings, user_folder};

/// Made of the settings.
#[derive(Debug, Clone)]
pub struct Cache {
    pub folder: PathBuf,
    /// The hub of models, or a mirror of it, as an address.
    pub hub: String,
    /// How long a download may give next to nothing before its source is given up.
    pub stall_limit: Duration,
}

impl Cache {
    pub fn of(settings: &CacheSettings) -> Self {
        let CacheSettings { folder, hub, stall_seconds } = settings;
        Self {
            folder: folder.clone().unwrap_or_else(|| user_folder("XDG_CACHE_HOME", ".cache").join("longhand")),
            hub: hub.clone(),
            stall_limit: Duration::from_secs(*stall_seconds),
        }
    }
}
