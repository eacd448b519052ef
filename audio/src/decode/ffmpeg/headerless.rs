//! Recordings of telephone systems that are nothing but samples: only their name says what they are.

/// How such a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Headerless {
    /// The format as ffmpeg calls it.
    pub(super) format: &'static str,
    /// In hertz, where the format leaves it open.
    pub(super) sample_rate: Option<&'static str>,
}

/// By the ending of a file's name.
pub(in super::super) fn headerless(name: &str) -> Option<Headerless> {
    let (_, extension) = name.rsplit_once('.')?;
    let of = |format, sample_rate| Some(Headerless { format, sample_rate });
    match extension.to_ascii_lowercase().as_str() {
        "gsm" => of("gsm", None),
        "g722" => of("g722", None),
        "g729" => of("g729", None),
        "ul" | "ulaw" | "pcmu" | "mulaw" => of("mulaw", Some("8000")),
        "al" | "alaw" | "pcma" => of("alaw", Some("8000")),
        "sln" => of("s16le", Some("8000")),
        "sln16" => of("s16le", Some("16000")),
        _ => None,
    }
}
