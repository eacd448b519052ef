//! Which chunks of a work unit are recognised at once.

/// Groups windows, given by their positions, into batches of equal positions; each holds the windows' places in order,
/// and at most `most` of them. A batch stands where its first window does.
pub(super) fn batches(positions: impl Iterator<Item = usize>, most: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<(usize, Vec<usize>)> = Vec::new();
    for (place, positions) in positions.enumerate() {
        let open = batches.iter_mut().rev().find(|(of, batch)| *of == positions && batch.len() < most.max(1));
        match open {
            Some((_, batch)) => batch.push(place),
            None => batches.push((positions, vec![place])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

#[cfg(test)]
mod tests {
    use super::batches;

    #[test]
    fn windows_of_the_same_length_go_together() {
        for (positions, most, expected) in [
            (vec![], 4, vec![]),
            (vec![5, 5, 5], 1, vec![vec![0], vec![1], vec![2]]),
            (vec![5, 5, 5], 0, vec![vec![0], vec![1], vec![2]]),
            (vec![5, 5, 5], 2, vec![vec![0, 1], vec![2]]),
            (vec![5, 9, 5, 5, 9], 2, vec![vec![0, 2], vec![1, 4], vec![3]]),
        ] {
            assert_eq!(batches(positions.clone().into_iter(), most), expected, "{positions:?}, at most {most}");
        }
    }
}
