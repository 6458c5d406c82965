//! The report in Markdown, for a pull request.
use rehearsal::{
    Report,
    layout::{self, Section, Table},
};

/// The report.
pub fn render(report: &Report) -> String {
    let sections: String = layout::sections(report).map(|section| render_section(&section)).collect();
    format!("## {}\n{sections}", escaped(&layout::title(report)))
}

fn render_section(section: &Section) -> String {
    let lines: String = section.lines.iter().map(|line| format!("- {}\n", escaped(line))).collect();
    let blank = if lines.is_empty() || section.table.is_none() { "" } else { "\n" };
    let table = section.table.as_ref().map(render_table).unwrap_or_default();
    format!("\n### {}\n\n{lines}{blank}{table}", section.title)
}

fn render_table(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = line(table.head.iter().map(|cell| (*cell).to_owned()).collect());
    let rule = format!("|{}\n", "---|".repeat(table.head.len()));
    let rows = table.rows.iter().map(|row| line(row.iter().map(|cell| escaped(cell).replace('\n', "<br>")).collect()));
    head + &rule + &rows.collect::<String>()
}

/// Text that Markdown does not interpret.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '@' | '#' => escaped.extend(['\\', letter]),
            _ => escaped.push(letter),
        }
    }
    escaped
}
