//! Tables of plain text.

use tabled::{
    builder::Builder,
    settings::{Padding, Style},
};

/// Rows under a line of headings, the columns two spaces apart.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    lines(std::iter::once(headings.map(str::to_owned)).chain(rows))
}

/// Names and their values, a line each.
pub(crate) fn key_values(entries: impl IntoIterator<Item = (&'static str, String)>) -> String {
    lines(entries.into_iter().map(|(name, value)| [name.to_owned(), value]))
}

fn lines<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> String {
    let mut builder = Builder::default();
    rows.for_each(|row| builder.push_record(row));
    let drawn = builder.build().with(Style::empty()).with(Padding::new(0, 2, 0, 0)).to_string();
    drawn.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
