//! `evaluator`: evaluates the policy for a request, like `kwctl run`, or for a cluster.
mod rehearse_command;
mod settings;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use kubectl_runtime_class::{AdmissionRequest, Capabilities, Policy, examples};

use self::{rehearse_command::Rehearse, settings::Settings};

/// Runs a Kubewarden policy, with no cluster and no registry
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Evaluate a policy on a request and print the AdmissionResponse, as kwctl does
    Run(Run),
    /// Show what a policy would do to a cluster or a chart
    Rehearse(Rehearse),
    /// Show the examples of a README, decided by a policy
    Examples {
        /// The policy's module
        module: PathBuf,
        /// The README
        readme: PathBuf,
    },
    /// Print the completions for a shell
    Completions {
        #[arg(value_enum)]
        shell: Shell,
    },
}

#[derive(Args)]
struct Run {
    /// The policy's module
    module: PathBuf,
    /// An AdmissionReview or an AdmissionRequest, in JSON or YAML; - for standard input
    #[arg(short, long, value_name = "PATH")]
    request_path: PathBuf,
    #[command(flatten)]
    settings: Settings,
    /// Let the policy read Kubernetes resources
    #[arg(long)]
    allow_context_aware: bool,
    /// Recorded answers to the policy's host calls
    #[arg(long, value_name = "PATH")]
    replay_host_capabilities_interactions: Option<PathBuf>,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(run) => exit_code(run.evaluate().map(|()| ExitCode::SUCCESS), 1),
        Command::Rehearse(rehearse) => exit_code(rehearse.run(), 2),
        Command::Examples { module, readme } => {
            exit_code(show_examples(&module, &readme).map(|()| ExitCode::SUCCESS), 1)
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "evaluator", &mut io::stdout());
            ExitCode::SUCCESS
        }
    }
}

/// The exit code. An error is one line on standard error, and the code `failed`.
fn exit_code(done: Result<ExitCode>, failed: u8) -> ExitCode {
    done.unwrap_or_else(|error| {
        let error = format!("{error:#}");
        eprintln!("Error: {}", error.lines().next().unwrap_or_default());
        failed.into()
    })
}

impl Run {
    fn evaluate(&self) -> Result<()> {
        let name = self.request_path.display();
        let request = read(&self.request_path)?;
        let request = AdmissionRequest::parse(&request).with_context(|| format!("cannot use {name} as a request"))?;
        let settings = self.settings.read()?;
        let capabilities = Arc::new(self.capabilities()?);

        let policy = Policy::load(&self.module)?;
        policy.validate_settings(&settings)?;
        let response = policy.evaluate(&request, &settings, &capabilities)?;
        println!("{}", serde_json::to_string(&response)?);
        Ok(())
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

/// Shows the examples of the first section that has any.
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
