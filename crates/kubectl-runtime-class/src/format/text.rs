//! The report as text, in colors on a terminal.
use std::{
    io::{self, Write},
    iter,
};

use anstyle::{AnsiColor, Style};
use rehearsal::{
    Report,
    layout::{self, Section, Table, Tone},
};
use unicode_width::UnicodeWidthStr;

const BOLD: Style = Style::new().bold();
const DIMMED: Style = Style::new().dimmed();

/// The spaces between two columns.
const GAP: usize = 2;

/// Writes the report, in colors or not.
///
/// # Errors
/// It can't be written.
pub fn write(report: &Report, is_colored: bool, out: &mut dyn Write) -> io::Result<()> {
    let paint = |style| if is_colored { style } else { Style::new() };
    let bold = paint(BOLD);
    writeln!(out, "{bold}{}{bold:#}", layout::title(report))?;
    layout::sections(report).try_for_each(|section| write_section(&section, &paint, out))
}

fn write_section(section: &Section, paint: &dyn Fn(Style) -> Style, out: &mut dyn Write) -> io::Result<()> {
    let style = paint(style(section.tone));
    writeln!(out, "\n{style}{}{style:#}", section.title.to_uppercase())?;
    section.lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    section.table.iter().try_for_each(|table| write_table(table, paint(DIMMED), out))
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain | Tone::Good => BOLD,
        Tone::Warning => AnsiColor::Yellow.on_default().bold(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
    }
}

/// A column is as wide as its widest cell.
fn write_table(table: &Table, head_style: Style, out: &mut dyn Write) -> io::Result<()> {
    let head: Vec<String> = table.head.iter().map(|cell| cell.to_uppercase()).collect();
    let mut widths = vec![0; head.len()];
    for row in iter::once(&head).chain(&table.rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.lines().map(width_of).fold(*width, usize::max);
        }
    }
    lines(&head, &widths).try_for_each(|line| writeln!(out, "{head_style}{line}{head_style:#}"))?;
    table.rows.iter().flat_map(|row| lines(row, &widths)).try_for_each(|line| writeln!(out, "{line}"))
}

/// The lines of a row: a cell may have several.
fn lines(row: &[String], widths: &[usize]) -> impl Iterator<Item = String> {
    let height = row.iter().map(|cell| cell.lines().count()).max().unwrap_or_default();
    (0..height).map(move |number| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let text = cell.lines().nth(number).unwrap_or_default();
            line.push_str(text);
            line.extend(iter::repeat_n(' ', width.saturating_sub(width_of(text)) + GAP));
        }
        line.truncate(line.trim_end().len());
        line
    })
}

/// The columns that a text takes on a terminal.
fn width_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}
