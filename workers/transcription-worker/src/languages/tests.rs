use engine::transcript::HeardLanguage;

use super::{Part, Stretch, heard, is_doubtful, parts, pieces};

const SECOND: usize = 16_000;

/// `en 900 de 100`: languages with thousandths.
fn hear(heard: &str) -> Vec<HeardLanguage> {
    let words: Vec<&str> = heard.split_whitespace().collect();
    let heard =
        words.chunks(2).map(|pair| HeardLanguage { language: pair[0].to_owned(), permille: pair[1].parse().unwrap() });
    heard.collect()
}

fn stretch(seconds: usize, heard: &str) -> Stretch {
    Stretch { samples: seconds * SECOND, heard: hear(heard) }
}

#[test]
fn only_languages_that_may_be_spoken_are_heard() {
    let probabilities: Vec<(String, f32)> =
        [("nl", 0.004), ("en", 0.3), ("de", 0.6), ("da", 0.096)].map(|(code, p)| (code.to_owned(), p)).into();
    for (among, expected) in
        [(vec![], "de 600 en 300 da 96"), (vec!["en", "nl"], "en 987 nl 13"), (vec!["nl"], "nl 1000"), (vec!["fr"], "")]
    {
        let among: Vec<String> = among.into_iter().map(str::to_owned).collect();
        assert_eq!(heard(&probabilities, &among), hear(expected), "{among:?}");
    }
}

#[test]
fn chunks_are_doubtful_where_the_language_may_change() {
    for (chunk, before, after, expected) in [
        ("en 990", "en 950", "en 700", false),
        ("en 990", "", "", false),
        ("en 990", "de 980", "en 990", true),
        ("en 990", "en 980", "de 600", true),
        ("en 990", "de 400 nl 300", "en 980", false),
        ("en 450 de 400", "en 990", "en 990", true),
        ("", "en 990", "de 990", false),
    ] {
        let is_doubtful = is_doubtful(&hear(chunk), [&hear(before), &hear(after)]);
        assert_eq!(is_doubtful, expected, "{chunk} between {before} and {after}");
    }
}

#[test]
fn pieces_take_the_languages_that_are_likeliest_in_turn() {
    let sure = |language: &str| stretch(16, &format!("{language} 990"));
    for (name, before, pieces, after, expected) in [
        ("a change", sure("en"), vec!["en 900", "en 990", "de 800", "de 990"], sure("de"), "en 8 de 16"),
        ("one slip", sure("en"), vec!["en 900", "nl 700 en 200", "en 990"], sure("en"), "en 12"),
        ("a slip at the end", sure("en"), vec!["en 900", "en 990", "fr 600"], sure("en"), "en 12"),
        ("all unsure", sure("es"), vec!["it 500 es 300"], sure("es"), "es 4"),
        ("silence", sure("en"), vec!["", "de 990", "de 990"], sure("de"), "de 12"),
        (
            "a word of its own",
            sure("en"),
            vec!["en 990", "de 990", "de 990", "de 990", "en 990"],
            sure("en"),
            "en 4 de 16 en 20",
        ),
        ("nobody else", Stretch::default(), vec!["fr 990"], Stretch::default(), "fr 4"),
        ("nothing at all", Stretch::default(), vec![""], Stretch::default(), "en 4"),
        ("a hint", Stretch::hint(hear("es 900")), vec!["it 500 es 300"], Stretch::hint(hear("es 900")), "es 4"),
        ("a wrong hint", Stretch::hint(hear("es 900")), vec!["it 990"], Stretch::hint(hear("es 900")), "it 4"),
    ] {
        let pieces: Vec<_> = pieces
            .iter()
            .enumerate()
            .map(|(at, heard)| (4 * at * SECOND..4 * (at + 1) * SECOND, stretch(4, heard)))
            .collect();
        let found = parts(&before, &pieces, &after);
        let found: Vec<String> =
            found.iter().map(|Part { samples, language }| format!("{language} {}", samples.end / SECOND)).collect();
        assert_eq!(found.join(" "), expected, "{name}");
    }
}

/// Seconds of sound and of silence in turn.
fn sound(seconds: &[f64]) -> Vec<f32> {
    let mut pcm = Vec::new();
    for (turn, seconds) in seconds.iter().enumerate() {
        let amplitude = if turn % 2 == 0 { 0.3 } else { 0.0 };
        let samples = 0..(seconds * SECOND as f64) as usize;
        pcm.extend(samples.map(|sample| amplitude * (sample as f32 * 0.3).sin()));
    }
    pcm
}

#[test]
fn pieces_end_where_it_is_quiet() {
    for (seconds, expected) in [
        (vec![], vec![0.0..0.0]),
        (vec![1.0], vec![0.0..1.0]),
        (vec![4.0], vec![0.0..4.0]),
        (vec![2.5, 0.4, 3.0], vec![0.0..2.6, 2.6..5.9]),
        (vec![1.0, 0.5, 1.5, 0.5, 2.5, 0.5, 3.0], vec![0.0..3.1, 3.1..6.1, 6.1..9.5]),
    ] {
        let found = pieces(&sound(&seconds));
        let found: Vec<_> = found
            .into_iter()
            .map(|piece| piece.start as f64 / SECOND as f64..piece.end as f64 / SECOND as f64)
            .collect();
        assert_eq!(found.len(), expected.len(), "{seconds:?}: {found:?}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found.start - expected.start).abs() < 0.21, "{seconds:?}: {found:?}");
            assert!((found.end - expected.end).abs() < 0.21, "{seconds:?}: {found:?}");
        }
    }
    let without_pause = pieces(&sound(&[29.9]));
    assert!(without_pause.iter().all(|piece| (2 * SECOND..=4 * SECOND).contains(&piece.len())), "{without_pause:?}");
}
