//! `kubectl runtime-class run`.
use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use clap::Args;
use kubectl_runtime_class::{AdmissionRequest, Capabilities, Policy};

use crate::{read, settings::Settings};

const EXAMPLES: &str = "\
Examples:
  # Evaluate a request
  kubectl runtime-class run -r request.json --settings-json '{\"reservedRuntimes\": [\"runc\"]}'

  # With the answers of a cluster that kwctl recorded
  kubectl runtime-class run -r request.json -s settings.yml --allow-context-aware \\
    --replay-host-capabilities-interactions recording.yml

Exit codes: 0, whether the request is allowed or not; 1 for an error.";

/// Evaluate the policy for one request and print the AdmissionResponse, as kwctl does
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    /// The module of another policy, or of another version
    module: Option<PathBuf>,
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

impl Run {
    /// Prints the response.
    pub fn run(&self) -> Result<()> {
        let name = self.request_path.display();
        let request = read(&self.request_path)?;
        let request = AdmissionRequest::parse(&request).with_context(|| format!("cannot use {name} as a request"))?;
        let settings = self.settings.read()?;
        let capabilities = Arc::new(self.capabilities()?);

        let policy = Policy::load(self.module.as_deref())?;
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
