//! Finding out what a file is, and whether its audio can be decoded at all.

use std::{fs::File, sync::LazyLock};

use engine::{error::StageError, plan::AudioFormat};
use symphonia::core::{
    codecs::{
        CodecParameters,
        audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions},
        registry::CodecRegistry,
    },
    errors::Error,
    formats::{
        FormatOptions, FormatReader, TrackType,
        probe::Hint,
        well_known::{FORMAT_ID_ADTS, FORMAT_ID_ISOMP4, FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3, FORMAT_ID_WAVE},
    },
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
};

use super::{Decoder, Promise, edit_list::track_start, reason, timeline::Timeline, track::AudioTrack};
use crate::resample::RATES;

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    codecs
});

impl Decoder {
    /// Recognises the file by its bytes, whatever it is called.
    ///
    /// # Errors
    /// A file that is no recording, or none that can be decoded.
    pub fn open(file: File, name: &str) -> Result<Self, StageError> {
        let for_edit_list = file.try_clone().map_err(|error| unrecognised(name, &Error::IoError(error)))?;
        let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
        let reader = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| unrecognised(name, &error))?;
        let (mut track, decoder) = first_decodable(reader.as_ref(), name)?;
        if reader.format_info().format == FORMAT_ID_ISOMP4 {
            track.apply(track_start(&for_edit_list, track.id));
        }
        let parameters = decoder.codec_params();
        let format = AudioFormat {
            codec: decoder.codec_info().short_name.to_owned(),
            sample_rate: parameters.sample_rate.unwrap_or_default(),
            channels: parameters.channels.as_ref().map_or(0, |channels| channels.count() as u32),
        };
        Ok(Self {
            name: name.to_owned(),
            promise: promise(reader.as_ref(), track.id),
            reader,
            decoder,
            track,
            format,
            timeline: Timeline::default(),
            reached_s: 0.0,
            packets: 0,
            damaged_packets: 0,
            interleaved: Vec::new(),
        })
    }
}

/// The first audio track that some decoder takes.
pub(super) fn first_decodable(
    reader: &dyn FormatReader,
    name: &str,
) -> Result<(AudioTrack, Box<dyn AudioDecoder>), StageError> {
    let mut refusal = None;
    for track in reader.tracks().iter().filter(|track| track.track_type() == Some(TrackType::Audio)) {
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else { continue };
        match decoder_for(parameters, name) {
            Ok(decoder) => return Ok((AudioTrack::new(track), decoder)),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| {
        StageError::bad_input(format!(
            "{name} has no audio track: there is nothing to transcribe; export it with its sound"
        ))
    }))
}

fn decoder_for(parameters: &AudioCodecParameters, name: &str) -> Result<Box<dyn AudioDecoder>, StageError> {
    if let Some(rate) = parameters.sample_rate.filter(|rate| !RATES.contains(rate)) {
        return Err(absurd_rate(name, rate));
    }
    if parameters.channels.as_ref().is_some_and(|channels| channels.count() == 0) {
        return Err(StageError::bad_input(format!(
            "{name} is damaged: its header says 0 channels; copy or export it again"
        )));
    }
    CODECS.make_audio_decoder(parameters, &AudioDecoderOptions::default()).map_err(|error| {
        StageError::bad_input(format!(
            "the audio of {name} cannot be decoded ({}); convert it to flac or wav",
            reason(&error)
        ))
    })
}

pub(super) fn absurd_rate(name: &str, rate: u32) -> StageError {
    let (lowest, highest) = (RATES.start(), RATES.end());
    StageError::bad_input(format!(
        "{name} is damaged: its header says {rate} Hz, and recordings have {lowest} to {highest} Hz; copy or export it again"
    ))
}

fn unrecognised(name: &str, error: &Error) -> StageError {
    match error {
        Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            StageError::transient(format!("{name} could not be read: {error}; check the disk"))
        }
        Error::Unsupported("core (probe): no suitable format reader found") => StageError::bad_input(format!(
            "{name} is no recording: its bytes are none of wav, flac, mp3, ogg, opus, m4a, mp4, webm and mkv; check the file"
        )),
        error => StageError::bad_input(format!(
            "{name} cannot be opened ({}): it is damaged or cut off; copy or export it again",
            reason(error)
        )),
    }
}

/// What the header says of the audio track's length, or, where the format keeps no such thing
/// (webm, mkv), of the whole file's.
fn promise(reader: &dyn FormatReader, track_id: u32) -> Promise {
    let track = reader.tracks().iter().find(|track| track.id == track_id);
    let format = reader.format_info().format;
    let estimated = match format {
        FORMAT_ID_ADTS => true,
        // Only with an encoder's tag is the length known; else it is reckoned from the file's size.
        FORMAT_ID_MP1 | FORMAT_ID_MP2 | FORMAT_ID_MP3 => track.is_none_or(|track| track.delay.is_none()),
        _ => false,
    };
    let of_track = track.and_then(|track| Some((track.time_base?, track.duration?)));
    let media = reader.media_info();
    match of_track.or(media.time_base.zip(media.duration)) {
        Some((time_base, length)) if length.get() > 0 && !estimated => {
            Promise::Seconds(time_base.calc_duration_saturating(length).as_secs_f64())
        }
        None if format == FORMAT_ID_WAVE => Promise::LeftOpen,
        _ => Promise::Nothing,
    }
}
