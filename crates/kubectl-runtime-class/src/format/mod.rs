//! The formats of a report.
mod junit;
mod markdown;
mod sarif;
mod text;

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
    /// The report in this format.
    ///
    /// # Errors
    /// None: it is written to memory.
    pub fn render(self, report: &Report) -> Result<String> {
        Ok(match self {
            Self::Text => text::render(report)?,
            Self::Json => report.to_json(),
            Self::Markdown => markdown::render(report),
            Self::Junit => junit::render(report)?,
            Self::Sarif => sarif::render(report)?,
        })
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
