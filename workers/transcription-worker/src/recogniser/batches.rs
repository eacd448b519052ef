//! Which chunks of a work unit are recognised at once.

/// Groups windows into batches of equal `audio_ctx`; each holds the windows' indices in order, and at most `max_batch`
/// of them. A batch stands where its first window does.
pub(super) fn batches(audio_ctxs: impl Iterator<Item = usize>, max_batch: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<(usize, Vec<usize>)> = Vec::new();
    for (index, audio_ctx) in audio_ctxs.enumerate() {
        let open = batches.iter_mut().rev().find(|(of, batch)| *of == audio_ctx && batch.len() < max_batch.max(1));
        match open {
            Some((_, batch)) => batch.push(index),
            None => batches.push((audio_ctx, vec![index])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

#[cfg(test)]
mod tests {
    use super::batches;

    #[test]
    fn windows_of_the_same_length_go_together() {
        for (audio_ctxs, max_batch, expected) in [
            (vec![], 4, vec![]),
            (vec![5, 5, 5], 1, vec![vec![0], vec![1], vec![2]]),
            (vec![5, 5, 5], 0, vec![vec![0], vec![1], vec![2]]),
            (vec![5, 5, 5], 2, vec![vec![0, 1], vec![2]]),
            (vec![5, 9, 5, 5, 9], 2, vec![vec![0, 2], vec![1, 4], vec![3]]),
        ] {
            assert_eq!(
                batches(audio_ctxs.clone().into_iter(), max_batch),
                expected,
                "{audio_ctxs:?}, at most {max_batch}"
            );
        }
    }
}
