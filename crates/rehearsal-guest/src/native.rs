//! The policies, rendered for the native engine.
use rehearsal::{
    Policy,
    native::{Class, Classes, Options, render},
    review::read_cluster,
};
use serde::Deserialize;
use wapc_guest::CallResult;

use crate::policies_in;

#[derive(Deserialize)]
struct Request {
    policies: String,
    /// RuntimeClasses, to bake in.
    cluster: String,
}

pub fn native(payload: &[u8]) -> CallResult {
    let Request { policies, cluster } = serde_json::from_slice(payload)?;
    let policies = policies_in(&policies)?;
    let (cluster, _) = read_cluster(&cluster);
    let classes = cluster.runtime_classes.values().map(Class::of).collect::<Result<Vec<_>, _>>()?;
    let rendered = policies.iter().map(|asked| rendered(&asked.policy, &classes));
    Ok(rendered.collect::<Result<Vec<_>, _>>()?.join("---\n").into_bytes())
}

/// A policy with all that its settings do: what it rejects and, with a fallback, what it mutates.
fn rendered(policy: &Policy, classes: &[Class]) -> Result<String, String> {
    let has_fallback = policy.settings["fallbackRuntime"].as_str().is_some_and(|name| !name.is_empty());
    let options = Options { mutate: has_fallback, ..Options::new(Classes::Baked(classes.to_vec())) };
    let rendered = render(policy, &options)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    rendered.to_yaml().map_err(|error| error.to_string())
}
