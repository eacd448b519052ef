//! Where there is no ffmpeg, an error says what a file is and what helps; where there is one, it reads nothing but the file.

use engine::error::FailureKind;

use crate::{made::made, workbench::Workbench};

#[tokio::test]
async fn an_error_names_the_codec_and_the_remedy() {
    const REMEDY: &str = "install ffmpeg on the ingestion worker (Debian: apt-get install ffmpeg), which decodes it, or convert it to flac or wav";
    for (name, command, what) in [
        ("film.mkv", "$FF -c:a ac3 $OUT", "the audio of film.mkv cannot be decoded (AC-3); "),
        (
            "five.m4a",
            "$FF -ac 6 -c:a aac $OUT",
            "the audio of five.m4a cannot be decoded (AAC of a kind that Longhand does not decode); ",
        ),
        (
            "gsm.wav",
            "$FF -ar 8000 -c:a libgsm_ms $OUT",
            "gsm.wav is GSM 6.10 in wav, which Longhand does not decode itself: ",
        ),
        (
            "windows.wma",
            "$FF -c:a wmav2 $OUT",
            "windows.wma is Windows Media (wma, wmv, asf), which Longhand does not decode itself: ",
        ),
        (
            "broadcast.ts",
            "$FF -c:a mp2 $OUT",
            "broadcast.ts is an MPEG transport stream, which Longhand does not decode itself: ",
        ),
        ("phone.amr", "sox $J -r 8000 -t amr-nb $OUT", "phone.amr is AMR, which Longhand does not decode itself: "),
    ] {
        for ffmpeg in ["off", "/nowhere/ffmpeg"] {
            let mut bench = Workbench::new();
            bench.settings.ffmpeg = ffmpeg.to_owned();
            let error = bench.ingest(&made(&bench, name, command)).await.unwrap_err();
            let message = error.message.replace(&bench.path("").display().to_string(), "");
            assert_eq!((error.kind, message), (FailureKind::BadInput, format!("{what}{REMEDY}")), "{ffmpeg}");
        }
    }
}

#[tokio::test]
async fn a_file_that_names_another_one_does_not_make_it_heard() {
    let bench = Workbench::new();
    made(&bench, "secret.wav", "$FF $OUT");
    let secret = bench.path("secret.wav").display().to_string();
    for (name, text) in [
        ("list.m3u8", format!("#EXTM3U\n#EXT-X-TARGETDURATION:11\n#EXTINF:11,\nfile://{secret}\n#EXT-X-ENDLIST\n")),
        ("list.wav", format!("ffconcat version 1.0\nfile {secret}\n")),
        (
            "session.sdp",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n".to_owned(),
        ),
    ] {
        let error = bench.ingest(&bench.file(name, text.as_bytes())).await.unwrap_err();
        let expected = format!(
            "{} is no recording: its bytes are of no audio or video format that is known; check the file",
            bench.path(name).display()
        );
        assert_eq!((error.kind, error.message), (FailureKind::BadInput, expected));
    }
}
