//! The report as text, in colors on a terminal.
use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use anstyle::{AnsiColor, Style};
use rehearsal::{
    Report,
    layout::{self, Section, Table, Tone},
};
use tabwriter::TabWriter;

const BOLD: Style = Style::new().bold();
const DIMMED: Style = Style::new().dimmed();

/// The report.
///
/// # Errors
/// None: it is written to memory.
pub fn render(report: &Report) -> io::Result<String> {
    let mut text = format!("{BOLD}{}{BOLD:#}\n", layout::title(report));
    for section in layout::sections(report) {
        text.push_str(&render_section(&section)?);
    }
    Ok(text)
}

fn render_section(section: &Section) -> io::Result<String> {
    let style = style(section.tone);
    let mut text = format!("\n{style}{}{style:#}\n", section.title.to_uppercase());
    for line in &section.lines {
        text.push_str(line);
        text.push('\n');
    }
    if let Some(table) = &section.table {
        text.push_str(&aligned(table)?);
    }
    Ok(text)
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain | Tone::Good => BOLD,
        Tone::Warning => AnsiColor::Yellow.on_default().bold(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
    }
}

fn aligned(table: &Table) -> io::Result<String> {
    let mut lines = format!("{DIMMED}{}{DIMMED:#}\n", table.head.join("\t").to_uppercase());
    for row in &table.rows {
        let height = row.iter().map(|cell| cell.lines().count()).max().unwrap_or_default();
        for number in 0..height {
            let cells: Vec<&str> = row.iter().map(|cell| cell.lines().nth(number).unwrap_or_default()).collect();
            let _ = writeln!(lines, "{}", cells.join("\t"));
        }
    }
    let mut writer = TabWriter::new(vec![]).padding(2).ansi(true);
    writer.write_all(lines.as_bytes())?;
    let aligned = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    let aligned = String::from_utf8_lossy(&aligned);
    Ok(aligned.lines().map(|line| format!("{}\n", line.trim_end())).collect())
}
