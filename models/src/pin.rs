//! The bytes that a source must give.

use std::path::Path;

use engine::hash::sha256_of;

use super::refusal::{Refusal, blocking};

/// The bytes that a source must give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Hexadecimal, in lower case.
    pub sha256: String,
    /// In bytes, where it is known. The digest decides; the size spares asking for what is here already.
    pub size: Option<u64>,
}

impl Pin {
    /// Checks the file and removes it when it is another one, so that it is never continued.
    pub(super) async fn verify(&self, file: &Path) -> Result<(), Refusal> {
        let (pin, file) = (self.clone(), file.to_owned());
        blocking(move || {
            let sha256 = sha256_of(&file)?;
            if sha256 == pin.sha256 {
                return Ok(());
            }
            let size = file.metadata()?.len();
            std::fs::remove_file(&file)?;
            Err(Refusal::new(format!(
                "its {size} bytes are not the ones expected: SHA-256 {sha256} instead of {}",
                pin.sha256
            )))
        })
        .await
    }
}
