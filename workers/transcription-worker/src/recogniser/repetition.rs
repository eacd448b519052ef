//! Loops: when a text repeats itself over and over, one round of it is kept.

use super::phrases::Phrase;

/// Tokens of the longest round that is looked for.
const LONGEST_ROUND: usize = 40;
/// People say things twice.
const ROUNDS: usize = 3;

/// Drops all rounds of a loop but the first.
pub(super) fn collapse(mut phrases: Vec<Phrase>) -> Vec<Phrase> {
    let ids: Vec<u32> = phrases.iter().flat_map(|phrase| phrase.tokens.iter().map(|token| token.id)).collect();
    let mut kept = kept(&ids).into_iter();
    for phrase in &mut phrases {
        phrase.tokens.retain(|_| kept.next().unwrap_or(true));
    }
    phrases.retain(|phrase| !phrase.tokens.is_empty());
    phrases
}

/// For each token, whether it stays when of every loop only the first round does.
pub(super) fn kept(ids: &[u32]) -> Vec<bool> {
    let mut kept = vec![true; ids.len()];
    let mut at = 0;
    while at < ids.len() {
        match loop_at(&ids[at..]) {
            Some((round, rounds)) => {
                kept[at + round..at + round * rounds].fill(false);
                at += round * rounds;
            }
            None => at += 1,
        }
    }
    kept
}

/// Length and number of the rounds of a loop that begins here.
fn loop_at(ids: &[u32]) -> Option<(usize, usize)> {
    (1..=LONGEST_ROUND.min(ids.len() / ROUNDS)).find_map(|round| {
        let first = &ids[..round];
        let rounds = ids.chunks_exact(round).take_while(|next| *next == first).count();
        (rounds >= ROUNDS).then_some((round, rounds))
    })
}

#[cfg(test)]
mod tests {
    use super::kept;

    #[test]
    fn one_round_of_a_loop_is_kept() {
        for (ids, expected) in [
            (vec![], vec![]),
            (vec![1, 2, 3], vec![1, 2, 3]),
            (vec![1, 1, 2], vec![1, 1, 2]),
            (vec![7, 1, 1, 1, 1, 1, 2], vec![7, 1, 2]),
            (vec![5, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2], vec![5, 1, 2, 3, 1, 2]),
            (vec![1, 2, 1, 2, 3], vec![1, 2, 1, 2, 3]),
        ] {
            let flags = kept(&ids);
            let left: Vec<u32> = ids.iter().zip(flags).filter_map(|(id, kept)| kept.then_some(*id)).collect();
            assert_eq!(left, expected, "{ids:?}");
        }
    }
}
