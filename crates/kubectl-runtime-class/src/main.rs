//! `kubectl runtime-class`: what the policy does, to a cluster, to a chart, or to one request.
#[cfg(all(target_env = "musl", target_arch = "x86_64"))]
mod copy;
mod format;
mod kubectl;
mod module;
mod native;
mod parallel;
mod policies;
mod progress;
mod rehearse;
mod run;
mod settings;
mod source;
mod waiting;

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
};

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, Result};
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use kubectl_runtime_class::MODULE;
use sha2::{Digest, Sha256};

use self::{native::Native, rehearse::Rehearse, run::Run};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NAME: &str = "kubectl-runtime_class";

/// Shows what the policy pod-runtime-class-policy would do: to a cluster, to a chart, or to one request
///
/// The policy is inside. Nothing is changed in a cluster, and no cluster is needed to rehearse files.
#[derive(Parser)]
#[command(name = NAME, bin_name = "kubectl runtime-class", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Rehearse(Rehearse),
    Native(Native),
    Run(Run),
    /// Print the completions for a shell
    Completions {
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the version of this command, and the digest of the policy's module inside
    Version,
}

fn main() -> ExitCode {
    // Where it can't be set, the command needs more memory and time.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);

    match Cli::parse().command {
        Command::Run(run) => exit_code(run.run().map(|()| ExitCode::SUCCESS), 1),
        Command::Native(native) => exit_code(native.run(), 2),
        Command::Rehearse(rehearse) => exit_code(rehearse.run(), 2),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), NAME, &mut io::stdout());
            ExitCode::SUCCESS
        }
        Command::Version => {
            println!("version {}", env!("CARGO_PKG_VERSION"));
            println!("module  sha256:{:x}", Sha256::digest(MODULE));
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

fn read(path: &Path) -> Result<String> {
    let text = if path == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
    text.with_context(|| format!("cannot read {}", path.display()))
}

/// Prints what is written, in colors or not; `| head` may stop reading.
fn print(write: impl FnOnce(bool, &mut dyn Write) -> Result<()>) -> Result<()> {
    let (stdout, choice) = (io::stdout().lock(), AutoStream::choice(&io::stdout()));
    let is_colored = choice != ColorChoice::Never;
    // What has no colors is not searched for them.
    let out: Box<dyn Write> = if is_colored { Box::new(AutoStream::new(stdout, choice)) } else { Box::new(stdout) };
    let mut out = BufWriter::new(out);
    match write(is_colored, &mut out).and_then(|()| Ok(out.flush()?)) {
        Err(error) if error.downcast_ref().map(io::Error::kind) == Some(io::ErrorKind::BrokenPipe) => Ok(()),
        done => done.context("cannot print"),
    }
}
