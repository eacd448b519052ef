//! Finding out what a file is, and whether its audio can be decoded at all.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path, sync::LazyLock};

use engine::{error::StageError, plan::AudioFormat};
use symphonia::core::{
    codecs::{
        CodecParameters,
        audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions},
        registry::CodecRegistry,
    },
    errors::Error,
    formats::{
        FormatOptions, FormatReader, Track, TrackType,
        probe::Hint,
        well_known::{FORMAT_ID_ADTS, FORMAT_ID_AIFF, FORMAT_ID_ISOMP4, FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3},
    },
    io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions, ReadOnlySource},
    meta::MetadataOptions,
};

use super::{
    DecodeOptions, Decoder, Step,
    containers::{codec_name, container_name},
    edit_list,
    ending::{Damage, Promise},
    ffmpeg::{self, Listing},
    reason,
    source_file::SourceFile,
    timeline::Timeline,
    track::AudioTrack,
    wav_lengths,
};
use crate::{channels::Layout, resample::RATES};

/// Packets of any track among which there has to be sound, or the demuxer or the decoder is taken not to be up to the file.
const TRIED_PACKETS: usize = 5_000;
/// No codec of speech gets by with less. A header that promises so much more than the file can hold was left open by a
/// program that wrote to a pipe.
const LEAST_BITS_PER_SECOND: f64 = 400.0;
/// Bytes at the beginning of a file that tell what it is.
const HEAD: usize = 4_096;

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    codecs
});

impl Decoder {
    /// Recognises the file by its bytes, whatever it is called. `track` is counted from 0 among its audio tracks; `None`
    /// for the first that can be decoded.
    ///
    /// # Errors
    /// A file that is no recording, or none that can be decoded.
    pub fn open(file: &File, name: &str, options: &DecodeOptions, track: Option<usize>) -> Result<Self, StageError> {
        let own = match Self::tried(file, name, options, track) {
            Err(Unsuited::Codec(error) | Unsuited::Damaged(error) | Unsuited::Unknown(error))
                if error.is_retryable() =>
            {
                return Err(error);
            }
            Err(unsuited) => unsuited,
            Ok(decoder) => return Ok(decoder),
        };
        let foreign = options.ffmpeg.as_deref().map(|program| by_ffmpeg(program, file, name, options, track));
        match foreign {
            Some(Ok(decoder)) => Ok(decoder),
            Some(Err(Foreign::Undecodable(error))) => Err(own.unless_unknown(error)),
            Some(Err(Foreign::Unknown)) => Err(own.unknown_to_all(file, name)),
            None | Some(Err(Foreign::NotInstalled)) => Err(own.without_ffmpeg(file, name)),
        }
    }

    /// A decoder of Longhand's own that gives sound.
    fn tried(file: &File, name: &str, options: &DecodeOptions, track: Option<usize>) -> Result<Self, Unsuited> {
        let mut trial = own_decoder(file, name, options, track)?;
        let mut samples = Vec::new();
        for _ in 0..TRIED_PACKETS {
            match trial.step(&mut samples) {
                Ok(Step::Nothing) => {}
                Ok(Step::Samples { .. } | Step::End) => break,
                Err(error) => return Err(Unsuited::Damaged(error)),
            }
        }
        own_decoder(file, name, options, track)
    }

    fn new(name: &str, options: &DecodeOptions, parts: Parts) -> Self {
        let Parts { reader, track, decoder, format, tracks, promise } = parts;
        Self {
            name: name.to_owned(),
            is_strict: options.strict,
            reader,
            child: None,
            child_promise: None,
            decoder,
            track,
            format,
            tracks,
            promise,
            timeline: Timeline::default(),
            reached_s: 0.0,
            packets: 0,
            damage: Damage::default(),
            warnings: Vec::new(),
            layout: Layout::of_count(1),
        }
    }
}

/// What differs between files.
struct Parts {
    reader: Box<dyn FormatReader>,
    track: AudioTrack,
    decoder: Box<dyn AudioDecoder>,
    format: AudioFormat,
    tracks: usize,
    promise: Promise,
}

/// Why Longhand cannot decode a file itself.
enum Unsuited {
    /// The container is known, and its audio is not.
    Codec(StageError),
    /// The container is known, and something is wrong with it.
    Damaged(StageError),
    /// It is no container that is known.
    Unknown(StageError),
}

/// Why ffmpeg cannot.
enum Foreign {
    NotInstalled,
    /// It is no recording for it either.
    Unknown,
    Undecodable(StageError),
}

fn own_decoder(file: &File, name: &str, options: &DecodeOptions, track: Option<usize>) -> Result<Decoder, Unsuited> {
    let unreadable = |error| unrecognised(name, &Error::IoError(error));
    let corrections = wav_lengths::corrections(file);
    let source = file.try_clone().and_then(|file| SourceFile::new(file, corrections)).map_err(unreadable)?;
    let reader = probe(Box::new(source)).map_err(|error| unrecognised(name, &error))?;
    let (mut track, decoder) = decodable_track(reader.as_ref(), name, track).map_err(Unsuited::Codec)?;
    if reader.format_info().format == FORMAT_ID_ISOMP4 {
        let edits = edit_list::edit_list(file, track.id);
        if !edits.is_in_order() {
            return Err(Unsuited::Codec(StageError::bad_input(format!(
                "the edit list of {name} plays its parts in another order than they are stored in; convert it to flac or wav"
            ))));
        }
        track.apply(edits);
    }
    let parameters = decoder.codec_params();
    let format = AudioFormat {
        codec: decoder.codec_info().short_name.to_owned(),
        sample_rate: parameters.sample_rate.unwrap_or_default(),
        channels: parameters.channels.as_ref().map_or(0, |channels| channels.count() as u32),
    };
    let (tracks, promise) = (audio_tracks(reader.as_ref()).count(), promise(reader.as_ref(), track.id));
    Ok(Decoder::new(name, options, Parts { reader, track, decoder, format, tracks, promise }))
}

fn by_ffmpeg(
    program: &Path,
    file: &File,
    name: &str,
    options: &DecodeOptions,
    track: Option<usize>,
) -> Result<Decoder, Foreign> {
    let list = |headerless| ffmpeg::list(program, file, headerless).map_err(|error| not_started(name, &error));
    let (mut listing, mut headerless) = (list(None)?, None);
    if listing.container.is_empty()
        && let Some(by_name) = ffmpeg::headerless(name)
    {
        (listing, headerless) = (list(Some(by_name))?, Some(by_name));
    }
    let number = track.unwrap_or(0);
    let Some(listed) = listing.tracks.get(number) else { return Err(nothing_listed(name, &listing)) };
    let started = ffmpeg::decode(program, file, headerless, number);
    let (output, mut child) = started.map_err(|error| not_started(name, &error))?;
    let codec = listed.codec.clone();
    let failed = |reason: &str| {
        let container = &listing.container;
        Foreign::Undecodable(StageError::bad_input(format!(
            "the audio of {name}, {codec} in {container}, cannot be decoded ({reason}); convert it to flac or wav"
        )))
    };
    let opened = probe(Box::new(ReadOnlySource::new(output))).map_err(|error| error.to_string());
    let opened = opened.and_then(|reader| {
        let (track, decoder) = decodable_track(reader.as_ref(), name, None).map_err(|error| error.message)?;
        Ok((reader, track, decoder))
    });
    let (reader, track, decoder) = opened.map_err(|error| failed(&child.complaint(true).unwrap_or(error)))?;
    let parameters = decoder.codec_params();
    let format = AudioFormat {
        codec: codec.clone(),
        sample_rate: if listed.sample_rate > 0 { Some(listed.sample_rate) } else { parameters.sample_rate }
            .unwrap_or_default(),
        channels: parameters.channels.as_ref().map_or(0, |channels| channels.count() as u32),
    };
    // ffmpeg tells how long a film is without what its edit list leaves out, and pictures may go on longer than the sound.
    let child_promise = edit_list::played_s(file, number).or(listing.duration_s);
    let child_promise = child_promise.filter(|seconds| bits(file) > seconds * LEAST_BITS_PER_SECOND);
    let length = child_promise.filter(|_| !listing.has_video);
    let promise = length.map_or(Promise::Nothing, Promise::Seconds);
    let tracks = listing.tracks.len();
    let decoder = Decoder::new(name, options, Parts { reader, track, decoder, format, tracks, promise });
    Ok(Decoder { child: Some(child), child_promise, ..decoder })
}

/// Of the whole file; as many as can be where nobody can tell.
fn bits(file: &File) -> f64 {
    file.metadata().map_or(f64::INFINITY, |metadata| metadata.len() as f64 * 8.0)
}

fn not_started(name: &str, error: &io::Error) -> Foreign {
    match error.kind() {
        io::ErrorKind::NotFound => Foreign::NotInstalled,
        _ => Foreign::Undecodable(StageError::transient(format!(
            "ffmpeg cannot be started on the ingestion worker to decode {name}: {error}"
        ))),
    }
}

fn nothing_listed(name: &str, listing: &Listing) -> Foreign {
    if listing.container.is_empty() { Foreign::Unknown } else { Foreign::Undecodable(no_audio_track(name)) }
}

impl Unsuited {
    /// There is no ffmpeg, which might know better.
    fn without_ffmpeg(self, file: &File, name: &str) -> StageError {
        const REMEDY: &str = "install ffmpeg on the ingestion worker (Debian: apt-get install ffmpeg), which decodes it, or convert it to flac or wav";
        if let Some(what) = container_name(&head(file)) {
            return StageError::bad_input(format!("{name} is {what}, which Longhand does not decode itself: {REMEDY}"));
        }
        match self {
            Self::Codec(error) => match error.message.strip_suffix(CONVERT) {
                Some(what) => StageError::bad_input(format!("{what}{REMEDY}")),
                None => error,
            },
            Self::Damaged(error) | Self::Unknown(error) => error,
        }
    }

    /// ffmpeg knows what it is and cannot decode it either.
    fn unless_unknown(self, foreign: StageError) -> StageError {
        match self {
            Self::Damaged(error) => error,
            Self::Codec(_) | Self::Unknown(_) => foreign,
        }
    }

    /// ffmpeg knows the file no better.
    fn unknown_to_all(self, file: &File, name: &str) -> StageError {
        match (self, container_name(&head(file))) {
            (Self::Unknown(_), Some(what)) => StageError::bad_input(format!(
                "{name} cannot be opened: it is {what}, and it is damaged or cut off; copy or export it again"
            )),
            (Self::Codec(error) | Self::Damaged(error) | Self::Unknown(error), _) => error,
        }
    }
}

fn head(file: &File) -> Vec<u8> {
    let mut head = vec![0; HEAD];
    // What cannot be read has no name.
    let length = file.read_at(&mut head, 0).unwrap_or_default();
    head.truncate(length);
    head
}

fn probe(source: Box<dyn MediaSource>) -> Result<Box<dyn FormatReader>, Error> {
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    symphonia::default::get_probe().probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
}

fn audio_tracks(reader: &dyn FormatReader) -> impl Iterator<Item = &Track> {
    reader.tracks().iter().filter(|track| track.track_type() == Some(TrackType::Audio))
}

/// The audio track of a number, or else the first that some decoder takes.
pub(super) fn decodable_track(
    reader: &dyn FormatReader,
    name: &str,
    number: Option<usize>,
) -> Result<(AudioTrack, Box<dyn AudioDecoder>), StageError> {
    let mut refusal = None;
    let (skipped, taken) = number.map_or((0, usize::MAX), |number| (number, 1));
    for track in audio_tracks(reader).skip(skipped).take(taken) {
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else { continue };
        match decoder_for(parameters, name) {
            Ok(decoder) => return Ok((AudioTrack::new(track), decoder)),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| no_audio_track(name)))
}

fn no_audio_track(name: &str) -> StageError {
    StageError::bad_input(format!(
        "{name} has no audio track: there is nothing to transcribe; export it with its sound"
    ))
}

/// How an error on a codec ends.
const CONVERT: &str = "convert it to flac or wav";

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
        let reason = codec_name(parameters.codec).map_or_else(|| reason(&error), str::to_owned);
        StageError::bad_input(format!("the audio of {name} cannot be decoded ({reason}); {CONVERT}"))
    })
}

pub(super) fn absurd_rate(name: &str, rate: u32) -> StageError {
    let (lowest, highest) = (RATES.start(), RATES.end());
    StageError::bad_input(format!(
        "{name} is damaged: its header says {rate} Hz, and recordings have {lowest} to {highest} Hz; copy or export it again"
    ))
}

/// How the demuxers say that it is they who fall short.
const LACKING: [&str; 4] = ["unsupported", "not supported", "no support", "not implemented"];

fn unrecognised(name: &str, error: &Error) -> Unsuited {
    match error {
        Error::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            Unsuited::Damaged(StageError::transient(format!("{name} could not be read: {error}; check the disk")))
        }
        Error::Unsupported("core (probe): no suitable format reader found") => {
            Unsuited::Unknown(StageError::bad_input(format!(
                "{name} is no recording: its bytes are of no audio or video format that is known; check the file"
            )))
        }
        // Nothing is wrong with the file.
        Error::Unsupported(what) if LACKING.iter().any(|words| what.contains(words)) => {
            Unsuited::Codec(StageError::bad_input(format!("{name} cannot be decoded ({what}); {CONVERT}")))
        }
        error => Unsuited::Damaged(StageError::bad_input(format!(
            "{name} cannot be opened ({}): it is damaged or cut off; copy or export it again",
            reason(error)
        ))),
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
    // The mark of a program that wrote to a pipe, as in wav.
    const OPEN_FRAMES: u64 = 0x7F00_0000 / 8;
    let is_open = |frames: u64| format == FORMAT_ID_AIFF && frames >= OPEN_FRAMES;
    let of_track = track.and_then(|track| Some((track.time_base?, track.duration?)));
    let media = reader.media_info();
    match of_track.or(media.time_base.zip(media.duration)) {
        Some((time_base, length)) if length.get() > 0 && !estimated && !is_open(length.get()) => {
            Promise::Seconds(time_base.calc_duration_saturating(length).as_secs_f64())
        }
        _ => Promise::Nothing,
    }
}
