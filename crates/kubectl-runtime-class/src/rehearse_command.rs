//! `evaluator rehearse`.
use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{ArgGroup, Args, ValueEnum};
use kubectl_runtime_class::{
    Policy,
    rehearse::{Rehearsal, Report, Scope},
};

use crate::settings::Settings;

/// The exit codes of `--fail-on`, and of unreadable input.
const FAILED_ON: u8 = 1;
const NOT_READ: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  # Rehearse a policy on the Pods of a cluster
  kubectl get pods,runtimeclasses -A -o json | evaluator rehearse policy.wasm --policy deploy/cluster.yml

  # With namespaces, if the namespaceSelector of the policy looks at their labels
  kubectl get pods,namespaces,runtimeclasses -A -o json | evaluator rehearse policy.wasm --policy deploy/cluster.yml

  # Rehearse it on a chart, and fail if a Pod would be rejected or mutated
  helm template web ./chart | evaluator rehearse policy.wasm --settings-path settings.yml \\
    --runtime-classes classes.yml --fail-on rejected,mutated

  # Write a comment for a pull request
  evaluator rehearse policy.wasm manifests/ --policy deploy/cluster.yml --output markdown

Exit codes: 0; 1 for --fail-on; 2 for an error, or if part of the input can't be read.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("how").args(["policy", "settings_json", "settings_path"]).required(true))]
pub struct Rehearse {
    /// The policy's module
    module: PathBuf,
    /// Files and folders with objects in JSON or YAML; - or nothing for standard input
    paths: Vec<PathBuf>,
    /// The manifest of the policy, with its settings, rules and selectors
    #[arg(short, long, value_name = "PATH")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Files or folders with RuntimeClasses, if the input has none
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    runtime_classes: Vec<PathBuf>,
    /// The namespace of objects that name none
    #[arg(short, long, default_value = "default")]
    namespace: String,
    /// The format of the report
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
    /// Exit with code 1 if an object has one of these outcomes; rejected includes errors
    #[arg(long, value_enum, value_delimiter = ',', value_name = "OUTCOME")]
    fail_on: Vec<FailOn>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    /// Aligned columns, in colors on a terminal
    Text,
    /// For programs; see docs/rehearse.md
    Json,
    /// For a pull request
    Markdown,
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
enum FailOn {
    Rejected,
    Mutated,
}

impl Rehearse {
    /// Prints the report, and returns the exit code.
    pub fn run(self) -> Result<ExitCode> {
        let scope = match &self.policy {
            Some(path) => Scope::read(path)?,
            None => Scope::everything(self.settings.read()?),
        };
        let policy = Policy::load(&self.module)?;
        let rehearsal = Rehearsal {
            policy: &policy,
            scope,
            paths: &self.paths,
            runtime_classes: &self.runtime_classes,
            namespace: &self.namespace,
        };
        let report = rehearsal.run()?;
        print(&match self.output {
            Output::Text => report.to_text()?,
            Output::Json => report.to_json()?,
            Output::Markdown => report.to_markdown(),
        })?;
        Ok(self.exit_code(&report))
    }

    fn exit_code(&self, report: &Report) -> ExitCode {
        if let Some(first) = report.unreadable.first() {
            let others = match report.unreadable.len() - 1 {
                0 => String::new(),
                others => format!(" (and {others} more)"),
            };
            eprintln!("Error: cannot read {}: {}{others}", first.place, first.message);
            return NOT_READ.into();
        }
        let outcomes = &report.summary.outcomes;
        let fail_on: BTreeSet<&FailOn> = self.fail_on.iter().collect();
        let is_failed = fail_on.iter().any(|outcome| match outcome {
            FailOn::Rejected => outcomes.rejected + outcomes.errors > 0,
            FailOn::Mutated => outcomes.mutated > 0,
        });
        if is_failed { FAILED_ON.into() } else { ExitCode::SUCCESS }
    }
}

/// Prints the report; `| head` may stop reading.
fn print(report: &str) -> Result<()> {
    match anstream::stdout().lock().write_all(report.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot print the report"),
        _ => Ok(()),
    }
}
