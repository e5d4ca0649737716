//! Tables for people.
//!
//! Owns the alignment of columns. The one invariant: a cell is padded by what a terminal shows
//! of it, not by its bytes, and no line ends in blanks.

use unicode_width::UnicodeWidthStr;

use super::Style;

/// What stands between two columns.
const GAP: &str = "  ";

/// Which side of its column a cell stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table: a head, and rows of as many cells.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(&'static str, Side)>,
    rows: Vec<Vec<String>>,
    indent: &'static str,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = (&'static str, Side)>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new(), indent: "" }
    }

    /// Puts this before every line.
    pub fn indented(mut self, indent: &'static str) -> Self {
        self.indent = indent;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let row: Vec<String> = cells.into_iter().map(|cell| shown(&cell)).collect();
        debug_assert_eq!(row.len(), self.columns.len(), "a row has a cell for each column");
        self.rows.push(row);
    }

    /// The whole table, each line with its line feed; without a head if all of it is empty.
    pub fn render(&self, style: Style) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|c| c.width());
            cells.chain([self.columns[column].0.width()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |cells: &[&str]| {
            let padded: Vec<String> = cells
                .iter()
                .zip(&self.columns)
                .zip(&widths)
                .map(|((cell, (_, side)), width)| pad(cell, *width, *side))
                .collect();
            format!("{}{}", self.indent, padded.join(GAP).trim_end())
        };
        let mut out = String::new();
        let head: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        if head.iter().any(|name| !name.is_empty()) {
            out += &style.dim(&line(&head));
            out.push('\n');
        }
        for row in &self.rows {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            out += &line(&cells);
            out.push('\n');
        }
        out
    }
}

/// Pads `text` to `width` columns of a terminal.
pub fn pad(text: &str, width: usize, side: Side) -> String {
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    match side {
        Side::Left => format!("{text}{blanks}"),
        Side::Right => format!("{blanks}{text}"),
    }
}

/// A cell without control characters, which could move the cursor or hide text. Colours are for
/// whole lines and added after padding.
fn shown(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let mut table = Table::new([("name", Side::Left), ("topics", Side::Right)]);
        table.row(["é日本".to_owned(), "7".to_owned()]);
        table.row(["a".to_owned(), "1,234,567".to_owned()]);
        assert_eq!(
            table.render(Style::plain()),
            "name      topics\né日本          7\na      1,234,567\n"
        );
    }

    #[test]
    fn lines_do_not_end_in_blanks_and_cells_cannot_steer_the_terminal() {
        let mut table = Table::new([("", Side::Right), ("", Side::Left)]).indented("  ");
        table.row(["1".to_owned(), "a\x1b[2J".to_owned()]);
        table.row(["1".to_owned(), "b".to_owned()]);
        assert_eq!(table.render(Style::plain()), "  1  a\u{fffd}[2J\n  1  b\n");
    }
}
