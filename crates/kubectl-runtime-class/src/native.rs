//! `kubectl runtime-class native`.
use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use rehearsal::{
    Cluster,
    native::{self, Class, Classes, Kubernetes, Options},
};

use crate::{
    kubectl::{Connection, RUNTIME_CLASSES},
    parallel,
    policies::PolicyOptions,
    print,
    progress::Progress,
    source::{self, Source},
};

/// The value of `--classes` for the parameters of native policies.
const LIVE: &str = "live";

const EXAMPLES: &str = "\
Examples:
  # A guard for the policy, with the classes of the cluster of your kubeconfig
  kubectl runtime-class native -f deploy/cluster.yml | kubectl apply -f -

  # In place of the policy: it also moves Pods, and keeps the names of classes true
  kubectl runtime-class native -f deploy/cluster.yml --mutate --lock

  # For another version of Kubernetes, with the classes of a file
  kubectl runtime-class native -f deploy/cluster.yml --classes classes.yml --kubernetes 1.34

Exit codes: 0; 1 if the native engine can't express the policy; 2 for an error.";

/// Render the policy for the API server's own engine
///
/// It prints ValidatingAdmissionPolicies, and with --mutate MutatingAdmissionPolicies, which need no Kubewarden.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Native {
    #[command(flatten)]
    policies: PolicyOptions,
    /// The RuntimeClasses: a file, - for standard input, or live for those of the moment; without it, kubectl lists them
    #[arg(long, value_name = "FILE|-|live")]
    classes: Option<PathBuf>,
    /// Add a policy that keeps the names of RuntimeClasses true
    #[arg(long)]
    lock: bool,
    /// Add a policy that moves Pods to the fallback
    #[arg(long)]
    mutate: bool,
    /// Add policies that warn of templates, or reject them
    #[arg(long)]
    templates: bool,
    /// The version of Kubernetes
    #[arg(long, value_name = "VERSION", default_value = "1.36", value_parser = Kubernetes::parse)]
    kubernetes: Kubernetes,
    #[command(flatten)]
    connection: Connection,
}

impl Native {
    /// Prints the native policies, and returns the exit code.
    pub fn run(&self) -> Result<ExitCode> {
        let (_, policies) = self.policies.read()?;
        let &Self { lock, mutate, templates, kubernetes, .. } = self;
        let options = Options { classes: self.classes()?, lock, mutate, templates, kubernetes };
        let mut rendered = vec![];
        for asked in policies.iter() {
            match native::render(&asked.policy, &options) {
                Ok(objects) => rendered.push(objects.to_yaml()?),
                Err(causes) => {
                    let name = asked.policy.name().map(|name| format!("{name}: ")).unwrap_or_default();
                    causes.iter().for_each(|cause| eprintln!("Error: {name}{cause}"));
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
        print(&rendered.join("---\n"))?;
        Ok(ExitCode::SUCCESS)
    }

    fn classes(&self) -> Result<Classes> {
        match &self.classes {
            Some(path) if path.as_os_str() == LIVE => Ok(Classes::Live),
            Some(path) => read(&source::sources(std::slice::from_ref(path))?),
            None => match self.connection.get(RUNTIME_CLASSES, &[])? {
                Ok(source) => read(&[source]),
                Err(why) => bail!("you may not list RuntimeClasses: {why}. Use --classes FILE"),
            },
        }
    }
}

/// The RuntimeClasses in the sources.
fn read(sources: &[Source]) -> Result<Classes> {
    let progress = Progress::of(sources.iter().map(|source| source.bytes).sum());
    let cluster = parallel::fold(sources, &progress, Cluster::learn, Cluster::join)?;
    if let Some(why) = cluster.unreadable.first() {
        bail!("cannot read {why}");
    }
    let classes = cluster.runtime_classes.values().map(Class::of).collect::<Result<_, _>>();
    classes.map(Classes::Baked).map_err(|why| anyhow!("cannot use {why}"))
}
