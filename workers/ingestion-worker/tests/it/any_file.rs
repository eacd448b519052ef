//! Every kind of file gives the sample's speech: usual formats, those that ffmpeg decodes, and files that are odd.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    made::made,
    sound::{SECOND, best_fit, speech},
    workbench::Workbench,
};

/// What a file holds besides the sample's 11 s, and how like them its sound is.
struct Sound {
    /// Seconds before the sample.
    before_s: f64,
    /// Seconds of the sample.
    length_s: f64,
    likeness: f64,
    /// Samples at 16 kHz by which the codec may be late: few formats say how much theirs is.
    delay: u64,
}

const WHOLE: Sound = Sound { before_s: 0.0, length_s: 11.0, likeness: 0.95, delay: 16 };
/// Codecs of telephones and of the nineties.
const TELEPHONE: Sound = Sound { likeness: 0.8, delay: 800, ..WHOLE };
/// Lossy codecs that start late.
const LATE: Sound = Sound { delay: 1_105, ..WHOLE };
/// Of codecs whose first packet is not whole: some 20 ms.
const SOME_LATE: Sound = Sound { delay: 320, ..WHOLE };

/// Seconds at the end that are compared: what comes late has been placed by all before it.
const COMPARED_S: f64 = 4.0;

/// A file's name, the command that makes it, the codec it has, and what is heard.
type File = (&'static str, &'static str, &'static str, Sound);

/// What Longhand decodes itself.
const OWN: [File; 29] = [
    ("plain.wav", "$FF $OUT", "pcm_s16le", WHOLE),
    ("float.wav", "$FF -c:a pcm_f32le $OUT", "pcm_f32le", WHOLE),
    ("surround.wav", "$FF -ac 6 -c:a pcm_s24le $OUT", "pcm_s24le", WHOLE),
    ("mu-law.wav", "$FF -c:a pcm_mulaw $OUT", "pcm_mulaw", WHOLE),
    ("a-law.wav", "$FF -c:a pcm_alaw $OUT", "pcm_alaw", WHOLE),
    ("ima.wav", "$FF -c:a adpcm_ima_wav $OUT", "adpcm_ima_wav", WHOLE),
    ("ms.wav", "$FF -c:a adpcm_ms $OUT", "adpcm_ms", WHOLE),
    ("long.rf64.wav", "$FF -rf64 always $OUT", "pcm_s16le", WHOLE),
    ("plain.aiff", "$FF $OUT", "pcm_s16be", WHOLE),
    ("plain.caf", "$FF -c:a pcm_s16be $OUT", "pcm_s16be", WHOLE),
    ("lossless.caf", "$FF -c:a alac $OUT", "alac", WHOLE),
    ("stereo.flac", "$FF -ac 2 -ar 44100 $OUT", "flac", WHOLE),
    ("flac.ogg", "$FF -c:a flac -f ogg $OUT", "flac", WHOLE),
    ("vorbis.ogg", "$FF -c:a libvorbis $OUT", "vorbis", WHOLE),
    ("voice.opus", "$FF -c:a libopus -b:a 16k -application voip $OUT", "opus", Sound { likeness: 0.9, ..WHOLE }),
    ("constant.mp3", "$FF -b:a 64k $OUT", "mp3", WHOLE),
    ("variable.mp3", "$FF -q:a 9 -ar 22050 $OUT", "mp3", WHOLE),
    ("layer2.mp2", "$FF -b:a 96k $OUT", "mp2", LATE),
    ("plain.aac", "$FF -c:a aac -f adts $OUT", "aac", LATE),
    ("plain.m4a", "$FF -c:a aac $OUT", "aac", WHOLE),
    ("lossless.m4a", "$FF -c:a alac $OUT", "alac", WHOLE),
    ("flac.mp4", "$FF -c:a flac -strict -2 $OUT", "flac", WHOLE),
    ("opus.mp4", "$FF -c:a libopus $OUT", "opus", SOME_LATE),
    (
        "fragments.mp4",
        "$FF -c:a aac -movflags frag_keyframe+empty_moov+default_base_moof -frag_duration 1000000 $OUT",
        "aac",
        LATE,
    ),
    ("telephone.3gp", "$FF -c:a aac $OUT", "aac", WHOLE),
    (
        "film.mov",
        "$FF -f lavfi -i color=s=64x48:r=5:d=11 -map 1:v -map 0:a -c:v libx264 -c:a pcm_s16le $OUT",
        "pcm_s16le",
        WHOLE,
    ),
    ("plain.webm", "$FF -c:a libopus $OUT", "opus", WHOLE),
    ("plain.mka", "$FF -c:a pcm_s16le $OUT", "pcm_s16le", WHOLE),
    ("film.mkv", "$FF -f lavfi -i color=s=64x48:r=5:d=11 -map 1:v -map 0:a -c:v libx264 -c:a flac $OUT", "flac", WHOLE),
];

/// What an ffmpeg program decodes for Longhand.
const FOREIGN: [File; 32] = [
    ("phone.amr", "sox $J -r 8000 -t amr-nb $OUT", "amr_nb", TELEPHONE),
    ("surround.m4a", "$FF -ac 6 -c:a aac $OUT", "aac", LATE),
    ("ac3.mkv", "$FF -c:a ac3 $OUT", "ac3", LATE),
    ("eac3.mp4", "$FF -c:a eac3 $OUT", "eac3", LATE),
    ("dts.mka", "$FF -ar 48000 -c:a dca -strict -2 $OUT", "dts", LATE),
    ("truehd.mka", "$FF -ar 48000 -ac 2 -c:a truehd -strict -2 $OUT", "truehd", WHOLE),
    ("plain.wma", "$FF -c:a wmav2 $OUT", "wmav2", LATE),
    ("broadcast.ts", "$FF -c:a mp2 $OUT", "mp2", LATE),
    ("disc.mpg", "$FF -f lavfi -i color=s=64x48:r=25:d=11 -map 1:v -map 0:a -ar 44100 -c:a mp2 $OUT", "mp2", LATE),
    ("gsm.wav", "$FF -ar 8000 -c:a libgsm_ms $OUT", "gsm_ms", TELEPHONE),
    ("g726.wav", "$FF -ar 8000 -c:a g726 $OUT", "adpcm_g726", TELEPHONE),
    ("g723.wav", "$FF -ar 8000 -c:a g723_1 -b:a 6300 $OUT", "g723_1", TELEPHONE),
    ("mp3.wav", "$FF -c:a libmp3lame $OUT", "mp3", LATE),
    ("old.avi", "$FF -f lavfi -i color=s=64x48:r=25:d=11 -map 1:v -map 0:a -c:a libmp3lame $OUT", "mp3", LATE),
    ("old.flv", "$FF -ar 22050 -c:a libmp3lame $OUT", "mp3", LATE),
    ("nelly.flv", "$FF -ar 8000 -c:a nellymoser $OUT", "nellymoser", TELEPHONE),
    ("speex.ogg", "$FF -c:a libspeex $OUT", "speex", TELEPHONE),
    ("asterisk.gsm", "$FF -ar 8000 -c:a libgsm -f gsm $OUT", "gsm", TELEPHONE),
    ("asterisk.g722", "$FF -c:a g722 -f g722 $OUT", "adpcm_g722", LATE),
    ("asterisk.ulaw", "$FF -ar 8000 -f mulaw $OUT", "pcm_mulaw", TELEPHONE),
    ("asterisk.sln", "$FF -ar 8000 -f s16le $OUT", "pcm_s16le", TELEPHONE),
    ("sun.au", "sox $J $OUT", "pcm_s16be", WHOLE),
    ("plain.w64", "$FF $OUT", "pcm_s16le", WHOLE),
    ("creative.voc", "sox $J $OUT", "pcm_s16le", WHOLE),
    ("nist.sph", "sox $J $OUT", "pcm_s16le", WHOLE),
    ("plain.wv", "$FF -c:a wavpack $OUT", "wavpack", WHOLE),
    ("plain.tta", "$FF -c:a tta $OUT", "tta", WHOLE),
    ("camera.mxf", "$FF -f lavfi -i color=s=64x48:r=25:d=11 -map 1:v -map 0:a -ar 48000 $OUT", "pcm_s16le", WHOLE),
    ("plain.nut", "$FF -c:a libvorbis $OUT", "vorbis", SOME_LATE),
    ("real.rm", "$FF -ar 44100 -c:a ac3 $OUT", "ac3", LATE),
    ("plain.ac3", "$FF -c:a ac3 $OUT", "ac3", LATE),
    ("bluetooth.caf", "$FF -c:a libopus -ar 48000 $OUT", "opus", LATE),
];

/// Files of usual formats that are not as they should be, and are heard in full without a warning.
const ODD: [File; 22] = [
    (
        "sox-pipe.wav",
        "$FF -f s16le - | sox -t raw -r 16000 -e signed -b 16 -c 1 - -t wav - | cat > $OUT",
        "pcm_s16le",
        WHOLE,
    ),
    ("ffmpeg-pipe.wav", "$FF -f wav - | cat > $OUT", "pcm_s16le", WHOLE),
    ("ffmpeg-pipe.rf64.wav", "$FF -rf64 always -f wav - | cat > $OUT", "pcm_s16le", WHOLE),
    ("short-pipe.wav", "$FF -t 0.8 -f wav - | cat > $OUT", "pcm_s16le", Sound { length_s: 0.8, ..WHOLE }),
    (
        "no-riff-length.wav",
        "$FF $OUT && printf '\\0\\0\\0\\0' | dd of=$OUT bs=1 seek=4 conv=notrunc status=none",
        "pcm_s16le",
        WHOLE,
    ),
    (
        "no-data-length.wav",
        "$FF -bitexact $OUT && printf '\\0\\0\\0\\0' | dd of=$OUT bs=1 seek=40 conv=notrunc status=none",
        "pcm_s16le",
        WHOLE,
    ),
    (
        "no-lengths.wav",
        "$FF -bitexact $OUT && for at in 4 40; do printf '\\0\\0\\0\\0' | dd of=$OUT bs=1 seek=$at conv=notrunc status=none; done",
        "pcm_s16le",
        WHOLE,
    ),
    ("telephone-pipe.wav", "sox $J -t wav -r 8000 -e u-law - | cat > $OUT", "pcm_mulaw", TELEPHONE),
    ("sox-pipe.aiff", "sox $J -t aiff - | cat > $OUT", "pcm_s16be", WHOLE),
    ("sox-pipe.au", "sox $J -t au - | cat > $OUT", "pcm_s16be", WHOLE),
    ("pipe.flac", "$FF -f flac - | cat > $OUT", "flac", WHOLE),
    ("pipe.mp3", "$FF -f mp3 - | cat > $OUT", "mp3", LATE),
    ("pipe.mkv", "$FF -c:a libopus -f matroska - | cat > $OUT", "opus", WHOLE),
    ("live.webm", "$FF -c:a libopus -f webm -live 1 - | cat > $OUT", "opus", WHOLE),
    (
        "cover.mp3",
        "ffmpeg -v error -f lavfi -i color=s=600x600 -frames:v 1 c.png && $FF -i c.png -map 0:a -map 1:v -disposition:v attached_pic $OUT",
        "mp3",
        WHOLE,
    ),
    (
        "cover.m4a",
        "ffmpeg -v error -f lavfi -i color=s=600x600 -frames:v 1 c.png && $FF -i c.png -map 0:a -map 1:v -c:a aac -c:v png -disposition:v attached_pic $OUT",
        "aac",
        WHOLE,
    ),
    (
        "cover.flac",
        "ffmpeg -v error -f lavfi -i color=s=600x600 -frames:v 1 c.png && $FF -i c.png -map 0:a -map 1:v -disposition:v attached_pic $OUT",
        "flac",
        WHOLE,
    ),
    ("tags-behind.mp3", "$FF -id3v2_version 0 -write_id3v1 1 -metadata title=x $OUT", "mp3", WHOLE),
    ("renamed.mp3", "$FF -f wav $OUT", "pcm_s16le", WHOLE),
    ("index-last.mp4", "$FF -c:a aac -movflags -faststart $OUT", "aac", WHOLE),
    (
        "late.mkv",
        "ffmpeg -v error -itsoffset 2 -i $J -f lavfi -i color=s=64x48:r=5:d=13 -map 1:v -map 0:a -c:v libx264 -c:a flac $OUT",
        "flac",
        Sound { before_s: 2.0, ..WHOLE },
    ),
    (
        "chained.ogg",
        "$FF -t 5 -c:a libvorbis a.ogg && $FF -ss 5 -ac 2 -ar 22050 -c:a libvorbis b.ogg && cat a.ogg b.ogg > $OUT",
        "vorbis",
        LATE,
    ),
];

/// The table in the documentation, made of what is read here.
#[test]
fn the_documentation_lists_what_is_read() {
    let table = format!(
        "| file | audio | decoded by |\n| --- | --- | --- |\n{}{}",
        rows(&OWN, "Longhand"),
        rows(&FOREIGN, "ffmpeg")
    );
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command-line.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("<!-- recordings -->\n").unwrap();
    let (written, _) = rest.split_once("<!-- /recordings -->").unwrap();
    assert_eq!(written, table, "docs/command-line.md has another table than:\n{table}");
}

/// A row for each extension, with the codecs that were read in such files.
fn rows(files: &[File], decoder: &str) -> String {
    let mut codecs = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (name, _, codec, _) in files {
        let extension = name.rsplit('.').next().unwrap();
        codecs.entry(extension).or_default().insert(codec);
    }
    let row = |(extension, codecs): (&str, BTreeSet<&str>)| {
        let codecs: Vec<_> = codecs.into_iter().collect();
        format!("| {extension} | {} | {decoder} |\n", codecs.join(", "))
    };
    codecs.into_iter().map(row).collect()
}

#[tokio::test]
async fn any_file_gives_the_same_speech() {
    let speech = speech();
    let mut wrong = Vec::new();
    for (name, command, codec, sound) in OWN.iter().chain(&FOREIGN).chain(&ODD) {
        let bench = Workbench::new();
        let ingested = match bench.ingest(&made(&bench, name, command)).await {
            Ok(ingested) => ingested,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let plan = &ingested.plan;
        let at = |seconds: f64| (seconds * SECOND as f64).round() as usize;
        let heard = bench.laid_out(&ingested).await;
        let from_s = (sound.length_s - COMPARED_S).max(0.0);
        let (delay, likeness) =
            best_fit(&speech[at(from_s)..at(sound.length_s)], &heard[at(sound.before_s + from_s).min(heard.len())..]);
        let length_s = sound.before_s + sound.length_s;
        let is_right = plan.format.codec == *codec
            && (plan.duration_s - length_s).abs() < 0.15
            && likeness >= sound.likeness
            && delay.unsigned_abs() <= sound.delay
            && plan.warnings.is_empty();
        if !is_right {
            wrong.push(format!(
                "{name}: {:?}, {} s, likeness {likeness:.3}, delay {delay}, {:?}",
                plan.format, plan.duration_s, plan.warnings
            ));
        }
    }
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}
