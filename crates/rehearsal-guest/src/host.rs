//! The module of the policy, which the host of this guest runs.
use std::sync::{Mutex, PoisonError};

use rehearsal::{Cluster, Host};
use wapc_guest::host_call;

/// The module, and the RuntimeClasses that it may read.
pub struct Module {
    classes: Vec<u8>,
    /// Whether the host was told last that the policy may read them.
    told: Mutex<Option<bool>>,
}

impl Module {
    pub fn in_cluster(cluster: &Cluster) -> Self {
        let classes: Vec<_> = cluster.runtime_classes.values().collect();
        Self { classes: serde_json::to_vec(&classes).unwrap_or_default(), told: Mutex::default() }
    }
}

impl Host for Module {
    fn validate(&self, payload: &[u8], reads_classes: bool) -> Result<Vec<u8>, String> {
        let call = |operation, payload| {
            host_call("rehearsal", "policy", operation, payload).map_err(|error| error.to_string())
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != Some(reads_classes) {
            call("classes", if reads_classes { &self.classes } else { b"null" })?;
            *told = Some(reads_classes);
        }
        call("validate", payload)
    }
}
