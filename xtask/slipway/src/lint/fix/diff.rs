//! A unified diff of two texts.

/// Unchanged lines shown around a change.
const CONTEXT: usize = 3;

#[derive(Clone, Copy, PartialEq)]
enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

pub(super) fn unified(name: &str, before: &str, after: &str) -> String {
    let lines = compare(&before.lines().collect::<Vec<_>>(), &after.lines().collect::<Vec<_>>());
    let old = if before.is_empty() { "/dev/null".to_owned() } else { format!("a/{name}") };
    let mut text = format!("--- {old}\n+++ b/{name}\n");
    hunks(&lines).into_iter().for_each(|(start, end)| hunk(&mut text, &lines, start, end));
    text
}

/// The longest common sequence of lines decides what is the same.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let mut longest = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            longest[i][j] =
                if one == other { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || longest[i + 1][j] >= longest[i][j + 1]) {
            lines.push(Line::Gone(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
    lines
}

/// Beginnings and ends of the stretches to show.
fn hunks(lines: &[Line<'_>]) -> Vec<(usize, usize)> {
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Same(_))) {
        let (start, end) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(lines.len()));
        match hunks.last_mut() {
            Some((_, last)) if start <= *last => *last = end,
            _ => hunks.push((start, end)),
        }
    }
    hunks
}

fn hunk(text: &mut String, lines: &[Line<'_>], start: usize, end: usize) {
    let in_old = |lines: &[Line<'_>]| lines.iter().filter(|line| !matches!(line, Line::New(_))).count();
    let in_new = |lines: &[Line<'_>]| lines.iter().filter(|line| !matches!(line, Line::Gone(_))).count();
    let (before, shown) = (&lines[..start], &lines[start..end]);
    // By convention an empty side begins at the line before it.
    let first = |before: usize, count: usize| if count == 0 { before } else { before + 1 };
    text.push_str(&format!(
        "@@ -{},{} +{},{} @@\n",
        first(in_old(before), in_old(shown)),
        in_old(shown),
        first(in_new(before), in_new(shown)),
        in_new(shown)
    ));
    for line in shown {
        let (mark, content) = match line {
            Line::Same(content) => (' ', content),
            Line::Gone(content) => ('-', content),
            Line::New(content) => ('+', content),
        };
        text.push_str(&format!("{mark}{content}\n"));
    }
}
