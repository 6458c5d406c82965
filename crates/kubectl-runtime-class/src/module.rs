//! The policy's module, as the rehearsal asks it.
use std::{collections::BTreeMap, sync::Arc};

use kubectl_runtime_class::{Policy, capabilities::GetResource};
use rehearsal::{Cluster, Host};

/// A policy, and the RuntimeClasses that it can read, in JSON.
pub struct Module<'a> {
    policy: &'a Policy,
    classes: Arc<BTreeMap<String, Vec<u8>>>,
}

impl<'a> Module<'a> {
    pub fn new(policy: &'a Policy, cluster: &Cluster) -> Self {
        let classes = cluster.classes().into_iter().flatten();
        let classes = classes.map(|(name, class)| (name.clone(), class.to_string().into_bytes())).collect();
        Self { policy, classes: Arc::new(classes) }
    }
}

impl Host for Module<'_> {
    fn validate(&self, payload: &[u8], reads_classes: bool) -> Result<Vec<u8>, String> {
        let classes = reads_classes.then(|| Arc::clone(&self.classes));
        let host = move |binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
            let call = GetResource::parse(binding, namespace, operation, payload)?;
            let Some(classes) = &classes else { return Err(call.not_granted()) };
            classes.get(&call.name).cloned().ok_or_else(|| call.not_found())
        };
        let instance = self.policy.instance(host).map_err(|error| error.to_string());
        instance?.call("validate", payload).map_err(|error| error.to_string())
    }
}
