//! Names for what Longhand does not decode itself, so that an error can say what a file is.

use symphonia::core::codecs::audio::{AudioCodecId, well_known::*};

/// What a file is that the demuxers do not know, by its first bytes.
pub(super) fn container_name(head: &[u8]) -> Option<String> {
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WAVE") {
        return wav_codec(head).map(|codec| format!("{codec} in wav"));
    }
    let known = CONTAINERS.iter().find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    known
        .map(|(_, _, name)| (*name).to_owned())
        .or_else(|| is_transport_stream(head).then(|| "an MPEG transport stream".to_owned()))
}

/// A codec that a container names and that no decoder takes.
pub(super) fn codec_name(codec: AudioCodecId) -> Option<&'static str> {
    CODECS.iter().find(|(id, _)| *id == codec).map(|(_, name)| *name)
}

/// Where the bytes lie, the bytes, and what they mean.
const CONTAINERS: [(usize, &[u8], &str); 23] = [
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (wma, wmv, asf)"),
    (0, b"#!AMR-WB", "AMR-WB"),
    (0, b"#!AMR", "AMR"),
    (0, b".snd", "Sun audio (au)"),
    (8, b"8SVX", "Amiga audio (8svx)"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"TTA1", "True Audio"),
    (0, b"tBaK", "TAK"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"DSD ", "DSD"),
    (0, b"FLV\x01", "Flash video"),
    (8, b"AVI ", "AVI"),
    (0, b"riff\x2e\x91\xcf\x11", "Wave64"),
    (0, b".RMF", "RealMedia"),
    (0, b".ra\xfd", "RealAudio"),
    (0, b"\x0b\x77", "AC-3"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"\x00\x00\x01\xba", "an MPEG programme stream"),
    (0, b"\x06\x0e\x2b\x34", "MXF"),
    (0, b"NIST_1A", "a NIST Sphere file"),
    (0, b"Creative Voice File", "Creative Voice (voc)"),
];

const CODECS: [(AudioCodecId, &str); 16] = [
    (CODEC_ID_AAC, "AAC of a kind that Longhand does not decode"),
    (CODEC_ID_AC3, "AC-3"),
    (CODEC_ID_EAC3, "E-AC-3"),
    (CODEC_ID_AC4, "AC-4"),
    (CODEC_ID_DCA, "DTS"),
    (CODEC_ID_TRUEHD, "TrueHD"),
    (CODEC_ID_SPEEX, "Speex"),
    (CODEC_ID_MUSEPACK, "Musepack"),
    (CODEC_ID_WMA, "Windows Media Audio"),
    (CODEC_ID_COOK, "Cook"),
    (CODEC_ID_SIPR, "Sipro"),
    (CODEC_ID_WAVPACK, "WavPack"),
    (CODEC_ID_MONKEYS_AUDIO, "Monkey's Audio"),
    (CODEC_ID_TTA, "True Audio"),
    (CODEC_ID_ADPCM_G722, "G.722"),
    (CODEC_ID_ADPCM_G726, "G.726"),
];

/// Wav's numbers of codecs.
const WAV_CODECS: [(u16, &str); 14] = [
    (0x0022, "TrueSpeech"),
    (0x0031, "GSM 6.10"),
    (0x0040, "G.721"),
    (0x0042, "G.723.1"),
    (0x0045, "G.726"),
    (0x0050, "MPEG layer 2"),
    (0x0055, "MP3"),
    (0x0064, "G.726"),
    (0x00ff, "AAC"),
    (0x0161, "Windows Media Audio"),
    (0x0162, "Windows Media Audio"),
    (0x2000, "AC-3"),
    (0x2001, "DTS"),
    (0xa109, "Speex"),
];

fn wav_codec(head: &[u8]) -> Option<&'static str> {
    let at = head.windows(4).position(|four| four == b"fmt ")?;
    let number = u16::from_le_bytes(head.get(at + 8..at + 10)?.try_into().ok()?);
    WAV_CODECS.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

fn is_transport_stream(head: &[u8]) -> bool {
    const PACKET: usize = 188;
    head.len() > 4 * PACKET && head.iter().step_by(PACKET).take(5).all(|byte| *byte == 0x47)
}
