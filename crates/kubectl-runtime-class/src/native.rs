//! `kubectl runtime-class native`.
use std::{path::PathBuf, process::ExitCode, slice, sync::Arc};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use kubectl_runtime_class::{Capabilities, Policy as Module, policy::ValidationResponse};
use rehearsal::{
    Policy,
    native::{self, Class, Classes, Kubernetes, Options},
};
use serde_json::{Value, json};

use crate::{
    kubectl::{Connection, RUNTIME_CLASSES},
    policies::PolicyOptions,
    print,
    source::{self, Source},
};

/// The exit code if the native engine can't express a policy.
const NOT_EXPRESSIBLE: u8 = 2;

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

Exit codes: 0; 2 for an error, or if the native engine can't express the policy.";

/// Render the policy for the API server's own engine
///
/// It prints ValidatingAdmissionPolicies, and with --mutate MutatingAdmissionPolicies, which need no Kubewarden.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Native {
    #[command(flatten)]
    policies: PolicyOptions,
    /// The RuntimeClasses, as kubectl get runtimeclasses -o json prints them: a file, - for standard input, or live for
    /// those of the moment of each request; without it, kubectl lists them now
    #[arg(long, value_name = "FILE|-|live")]
    classes: Option<PathBuf>,
    /// Add a policy that rejects a RuntimeClass of a handler that Pods may not use, under a name that they may
    #[arg(long)]
    lock: bool,
    /// Add a MutatingAdmissionPolicy that gives Pods the fallbackRuntime
    #[arg(long)]
    mutate: bool,
    /// Add policies that warn of Deployments and other templates, or reject them
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
        let (module, policies) = self.policies.read()?;
        let policies: Vec<_> = policies.iter().map(|asked| &asked.policy).collect();
        let classes = self.classes(&policies)?;
        let &Self { lock, mutate, templates, kubernetes, .. } = self;
        let options = Options { classes: self.read(classes.as_deref())?, lock, mutate, templates, kubernetes };
        let mut rendered = vec![];
        for policy in policies {
            match native::render(policy, &options) {
                Ok(objects) => rendered.push(objects.to_yaml()?),
                Err(causes) => {
                    let name = policy.name().map(|name| format!("{name}: ")).unwrap_or_default();
                    causes.iter().for_each(|cause| eprintln!("Error: {name}{cause}"));
                    return Ok(NOT_EXPRESSIBLE.into());
                }
            }
            if let Some(classes) = classes.as_ref().filter(|_| mutate) {
                check_fallback(&module, policy, classes)?;
            }
        }
        print(|_, out| Ok(out.write_all(rendered.join("---\n").as_bytes())?))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The RuntimeClasses; none if no policy needs them, or none of this moment.
    fn classes(&self, policies: &[&Policy]) -> Result<Option<Vec<Value>>> {
        let documents: Vec<Vec<Value>> = match &self.classes {
            Some(path) if path.as_os_str() == LIVE => return Ok(None),
            Some(path) => {
                source::sources(slice::from_ref(path))?.into_iter().map(Source::documents).collect::<Result<_>>()?
            }
            None if !policies.iter().any(|policy| native::needs_classes(policy)) => return Ok(None),
            None => match self.connection.get(RUNTIME_CLASSES, &[], Source::documents)? {
                Ok(documents) => vec![documents],
                Err(why) => bail!("you may not list RuntimeClasses: {why}. Use --classes FILE"),
            },
        };
        let items = documents.into_iter().flatten().flat_map(|document| match document.get("items") {
            Some(Value::Array(items)) => items.clone(),
            _ => vec![document],
        });
        Ok(Some(items.collect()))
    }

    fn read(&self, classes: Option<&[Value]>) -> Result<Classes> {
        if self.classes.as_ref().is_some_and(|path| path.as_os_str() == LIVE) {
            return Ok(Classes::Live);
        }
        let classes = classes.into_iter().flatten().map(Class::of).collect::<Result<_, _>>();
        classes.map(Classes::Baked).map_err(|why| anyhow!("cannot use the RuntimeClasses: {why}"))
    }
}

/// Lets the policy check its fallback, with a Pod that names no class.
///
/// # Errors
/// The fallback is no class of the cluster, or Pods may not use its handler.
fn check_fallback(module: &Module, policy: &Policy, classes: &[Value]) -> Result<()> {
    let cluster =
        if policy.reads_classes() { Capabilities::cluster(classes.to_vec()) } else { Capabilities::not_granted() };
    let request = json!({ "kind": { "group": "", "kind": "Pod" }, "operation": "CREATE", "object": { "spec": {} } });
    let payload = json!({ "request": request, "settings": policy.settings }).to_string();
    let answer = module.call("validate", payload.as_bytes(), &Arc::new(cluster))?;
    match serde_json::from_slice(&answer)? {
        ValidationResponse { code: Some(_), message: Some(message), .. } => bail!("{message}"),
        _ => Ok(()),
    }
}
