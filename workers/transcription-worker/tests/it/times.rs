//! Times of phrases and words.

use transcription_worker::recogniser::RecogniseOptions;

use crate::sound::{SECOND, english, jfk, recognise, recognisers, whisper};

/// Where the sample falls silent, a word ends, and where it begins again, the next one does.
#[test]
fn words_begin_and_end_where_they_are_heard() {
    let pcm = jfk();
    let heard = recognise(whisper(), &pcm, &RecogniseOptions { words: true, ..english() });
    let words: Vec<_> = heard.segments.iter().flat_map(|segment| &segment.words).collect();
    let said: Vec<_> = words.iter().map(|word| word.word.trim_matches([',', '.'])).collect();
    assert_eq!(said.len(), 22, "{said:?}");
    let mut last_start = 0.0;
    for word in &words {
        assert!(last_start <= word.start && word.start < word.end, "{word:?}");
        assert!(word.end <= pcm.len() as f64 / SECOND as f64, "{word:?}");
        assert!(word.probability > 0.0 && word.probability <= 1.0, "{word:?}");
        last_start = word.start;
    }
    // Measured in the sample's waveform: the edges of its pauses.
    let starts = [(0, "And", 0.32), (5, "ask", 3.28), (6, "not", 3.98), (7, "what", 5.41), (14, "ask", 8.19)];
    let ends = [(4, "Americans", 2.13), (5, "ask", 3.71), (6, "not", 4.31), (13, "you", 7.68)];
    let starts = starts.map(|(index, word, heard)| (index, word, (words[index].start - heard).abs()));
    let ends = ends.map(|(index, word, heard)| (index, word, (words[index].end - heard).abs()));
    let mut errors = Vec::new();
    for (index, word, error) in starts.into_iter().chain(ends) {
        assert_eq!(said[index], word);
        // A voice that fades ends somewhere within a quarter of a second.
        assert!(error <= 0.25, "{error:.2} s away: {:?}", words[index]);
        errors.push(error);
    }
    errors.sort_by(f64::total_cmp);
    assert!(errors[errors.len() / 2] <= 0.1, "{errors:.2?}");
}

#[test]
fn phrases_lie_in_order_within_the_chunk() {
    let pcm = jfk();
    for recogniser in recognisers() {
        let heard = recognise(recogniser, &pcm, &english());
        let mut last_end = 0.0;
        for segment in &heard.segments {
            assert!(last_end <= segment.start && segment.start < segment.end, "{segment:?}");
            assert!(segment.words.is_empty());
            last_end = segment.end;
        }
        assert!((9.0..=11.0).contains(&last_end), "{last_end}");
    }
}
