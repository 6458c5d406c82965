//! The formats of a report.
mod junit;
mod markdown;
mod sarif;
mod text;

use std::io::Write;

use anyhow::Result;
use clap::ValueEnum;
use rehearsal::{Outcome, Report};

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// Aligned columns, in colors on a terminal
    Text,
    /// For programs; see docs/rehearse.md
    Json,
    /// For a pull request
    Markdown,
    /// For the test reports of CI systems: a test case a row
    Junit,
    /// For code scanning: the file and the line of each object
    Sarif,
}

impl Format {
    /// Writes the report in this format. Only text has colors.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(self, report: &Report, is_colored: bool, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Text => text::write(report, is_colored, out)?,
            Self::Json => report.write(out)?,
            Self::Markdown => out.write_all(markdown::render(report).as_bytes())?,
            Self::Junit => out.write_all(junit::render(report)?.as_bytes())?,
            Self::Sarif => out.write_all(sarif::render(report)?.as_bytes())?,
        }
        Ok(())
    }
}

/// An outcome, as it is named in the report in JSON.
fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Error => "error",
        Outcome::Rejected => "rejected",
        Outcome::Refused => "refused",
        Outcome::Mutated => "mutated",
        Outcome::Accepted => "accepted",
    }
}
