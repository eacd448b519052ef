//! What several measurements of the same thing say together.

use serde::Serialize;

/// Times in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Summary {
    pub(super) runs: usize,
    pub(super) median_s: f64,
    /// The median of the distances from the median.
    pub(super) mad_s: f64,
    pub(super) min_s: f64,
    pub(super) max_s: f64,
}

impl Summary {
    /// None of nothing.
    pub(super) fn of(values: &[f64]) -> Option<Summary> {
        let middle = median(values)?;
        let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        Some(Summary {
            runs: values.len(),
            median_s: middle,
            mad_s: median(&distances)?,
            min_s: values.iter().copied().fold(f64::INFINITY, f64::min),
            max_s: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[half]),
        _ => Some(f64::midpoint(values[half - 1], values[half])),
    }
}

/// The probability that values of one and the same kind lie as far above the others by chance, or farther: Mann and
/// Whitney's test, exact, one-sided. It asks nothing of how the values are distributed; equal ones count as not above.
pub(super) fn chance_of_being_above(above: &[f64], below: &[f64]) -> f64 {
    let wins = above.iter().map(|one| below.iter().filter(|other| one > other).count()).sum();
    let orders = orders_by_wins(above.len(), below.len());
    orders[wins..].iter().sum::<f64>() / orders.iter().sum::<f64>()
}

/// By the number of pairs in which the first group's value is the larger one: in how many ways the two groups can
/// follow each other.
fn orders_by_wins(first: usize, second: usize) -> Vec<f64> {
    // One row of the recurrence per size of the first group; within it, one list per size of the second.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; second + 1];
    for taken in 1..=first {
        let mut next: Vec<Vec<f64>> = vec![vec![1.0]];
        for others in 1..=second {
            // The largest value of all is one of the first group, above all others, or one of the second.
            let mut ways = vec![0.0; taken * others + 1];
            row[others].iter().enumerate().for_each(|(wins, count)| ways[wins + others] += count);
            next[others - 1].iter().enumerate().for_each(|(wins, count)| ways[wins] += count);
            next.push(ways);
        }
        row = next;
    }
    row.swap_remove(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_those_of_the_textbook() {
        let table: &[(&[f64], [f64; 4])] = &[
            (&[3.0], [3.0, 0.0, 3.0, 3.0]),
            (&[4.0, 2.0], [3.0, 1.0, 2.0, 4.0]),
            (&[9.0, 1.0, 2.0], [2.0, 1.0, 1.0, 9.0]),
            (&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0], [2.0, 1.0, 1.0, 9.0]),
        ];
        for (values, expected) in table {
            let found = Summary::of(values).unwrap();
            assert_eq!([found.median_s, found.mad_s, found.min_s, found.max_s], *expected, "{values:?}");
        }
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn chances_are_those_of_the_published_tables() {
        let table: &[(&[f64], &[f64], f64)] = &[
            (&[2.0], &[1.0], 0.5),
            (&[1.0], &[2.0], 1.0),
            (&[4.0, 5.0, 6.0], &[1.0, 2.0, 3.0], 1.0 / 20.0),
            (&[3.0, 5.0, 6.0], &[1.0, 2.0, 4.0], 2.0 / 20.0),
            (&[6.0, 7.0, 8.0, 9.0, 10.0], &[1.0, 2.0, 3.0, 4.0, 5.0], 1.0 / 252.0),
            // Equal values speak for nothing.
            (&[1.0, 1.0, 1.0], &[1.0, 1.0, 1.0], 1.0),
        ];
        for (above, below, expected) in table {
            let found = chance_of_being_above(above, below);
            assert!((found - expected).abs() < 1e-12, "{above:?} {below:?}: {found}");
        }
        // The critical value of U for 8 and 8 at one-sided 0.05 is 15, as every table has it.
        let orders = orders_by_wins(8, 8);
        let share = |most: usize| orders[..=most].iter().sum::<f64>() / orders.iter().sum::<f64>();
        assert!(share(15) <= 0.05 && share(16) > 0.05);
    }
}
