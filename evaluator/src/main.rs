//! `evaluator`: runs the policy on a request, as `kwctl run` does.
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use evaluator::{AdmissionRequest, Capabilities, Policy, examples};
use serde_json::{Value, json};

/// Runs a Kubewarden policy on a request, as kwctl does, with no cluster and no registry
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Evaluate a policy and print the AdmissionResponse
    Run(Run),
    /// Show the examples of a README, decided by a policy
    Examples {
        /// The policy's module
        module: PathBuf,
        /// The README
        readme: PathBuf,
    },
}

#[derive(Args)]
struct Run {
    /// The policy's module
    module: PathBuf,
    /// An AdmissionReview or an AdmissionRequest, in JSON or YAML; - for standard input
    #[arg(short, long, value_name = "PATH")]
    request_path: PathBuf,
    /// The policy's settings, in JSON
    #[arg(long, value_name = "JSON", conflicts_with = "settings_path")]
    settings_json: Option<String>,
    /// A file with the policy's settings, in JSON or YAML
    #[arg(short, long, value_name = "PATH")]
    settings_path: Option<PathBuf>,
    /// Let the policy read resources of Kubernetes
    #[arg(long)]
    allow_context_aware: bool,
    /// Recorded answers for the policy's calls of the host
    #[arg(long, value_name = "PATH")]
    replay_host_capabilities_interactions: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(run) => run.evaluate(),
        Command::Examples { module, readme } => show_examples(&module, &readme),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error = format!("{error:#}");
            eprintln!("Error: {}", error.lines().next().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

impl Run {
    fn evaluate(&self) -> Result<()> {
        let name = self.request_path.display();
        let request = read(&self.request_path)?;
        let request = AdmissionRequest::parse(&request).with_context(|| format!("cannot use {name} as a request"))?;
        let settings = self.settings()?;
        let capabilities = Arc::new(self.capabilities()?);

        let policy = Policy::load(&self.module)?;
        policy.validate_settings(&settings)?;
        let response = policy.evaluate(&request, &settings, &capabilities)?;
        println!("{}", serde_json::to_string(&response)?);
        Ok(())
    }

    fn settings(&self) -> Result<Value> {
        match (&self.settings_json, &self.settings_path) {
            (Some(text), _) => serde_json::from_str(text).context("--settings-json is no JSON"),
            (None, Some(path)) => serde_yaml_ng::from_str(&read(path)?)
                .with_context(|| format!("{} is neither JSON nor YAML", path.display())),
            (None, None) => Ok(json!({})),
        }
    }

    fn capabilities(&self) -> Result<Capabilities> {
        match &self.replay_host_capabilities_interactions {
            Some(path) if self.allow_context_aware => {
                Capabilities::replay(&read(path)?).with_context(|| format!("cannot replay {}", path.display()))
            }
            None if self.allow_context_aware => Capabilities::replay("[]"),
            _ => Ok(Capabilities::not_granted()),
        }
    }
}

/// Shows the examples of the first section that has some.
fn show_examples(module: &Path, readme: &Path) -> Result<()> {
    let policy = Policy::load(module)?;
    let examples = examples::parse(&read(readme)?)?;
    let first = examples.first().with_context(|| format!("{} has no examples", readme.display()))?;
    for example in examples.iter().filter(|example| example.section == first.section) {
        anstream::println!("{}", example.report(&policy)?);
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    let text = if path == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
    text.with_context(|| format!("cannot read {}", path.display()))
}
