//! Tables of figures for people, which are Markdown too.

use std::fmt::Write as _;

/// A Markdown table whose lines are as wide as one another, each with its newline: `head`, then `rows`. Cells of the first
/// `words` columns begin at the left, figures end at the right.
pub(crate) fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
    words: usize,
) -> String {
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width - cell.chars().count());
            let _ = if column < words { write!(out, "| {cell}{padding} ") } else { write!(out, "| {padding}{cell} ") };
        }
        out.push_str("|\n");
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let _ = write!(out, "|{}{}", "-".repeat(width + 1), if column < words { "-" } else { ":" });
            }
            out.push_str("|\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_begin_at_the_left_and_figures_end_at_the_right() {
        let rows = [["a".to_owned(), "10.5".to_owned()], ["größer".to_owned(), "7".to_owned()]];
        let table = super::table(["name", "n"], rows, 1);
        assert_eq!(table, "| name   |    n |\n|--------|-----:|\n| a      | 10.5 |\n| größer |    7 |\n");
    }
}
