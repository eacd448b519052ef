//! The recognisers that can be measured.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Recogniser {
    Whisper,
    Ctranslate2,
}

impl Recogniser {
    /// What has to be built into the worker for it, as cargo names it.
    pub(crate) fn feature(self) -> Option<&'static str> {
        match self {
            Recogniser::Whisper => None,
            Recogniser::Ctranslate2 => Some("transcription-worker/ctranslate2"),
        }
    }

    /// As the command line takes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Recogniser::Whisper => "whisper",
            Recogniser::Ctranslate2 => "ctranslate2",
        }
    }
}
