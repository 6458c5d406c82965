//! A host of the core: files of the checkout as input, and the policy, compiled natively.
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Once},
};

use rehearsal::{Cluster, Host, Judge, Policies, Report, Tally, read};
use serde_json::Value;

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The policy in this process. It reads these RuntimeClasses.
pub struct Native(pub Arc<BTreeMap<String, Value>>);

impl Host for Native {
    fn validate(&self, payload: &[u8], reads_classes: bool) -> Result<Vec<u8>, String> {
        static INIT: Once = Once::new();
        INIT.call_once(|| policy::wapc_init());
        let classes = Arc::clone(&self.0);
        let host = move |_: [&str; 3], payload: &[u8]| {
            let call: Value = serde_json::from_slice(payload).expect("a call in JSON");
            let name = call["name"].as_str().expect("a name");
            if !reads_classes {
                let text = "Policy has not been granted access to Kubernetes node.k8s.io/v1/RuntimeClass resources. The violation has been reported.";
                return Err(text.as_bytes().to_vec());
            }
            let missing = format!(
                "Callback evaluation failure: Cannot find node.k8s.io/v1/RuntimeClass named '{name}' inside of namespace 'None'"
            );
            classes.get(name).map(|class| class.to_string().into_bytes()).ok_or(missing.into_bytes())
        };
        native_sdk::call("validate", payload, Box::new(host)).map_err(|error| error.to_string())
    }
}

/// The report on these files, whose names are below `folder`.
pub fn rehearse(policies: &Policies, folder: &Path, input: &[String], classes: &[String]) -> Report {
    let inputs = |names: &[String]| -> Vec<(Arc<str>, Vec<u8>)> {
        names.iter().map(|name| (Arc::from(name.as_str()), fs::read(folder.join(name)).expect("a file"))).collect()
    };
    rehearse_bytes(policies, &inputs(input), &inputs(classes))
}

/// The report on these inputs.
pub fn rehearse_bytes(policies: &Policies, input: &[(Arc<str>, Vec<u8>)], classes: &[(Arc<str>, Vec<u8>)]) -> Report {
    let mut cluster = Cluster::default();
    cluster.knows_classes = !classes.is_empty();
    for (name, bytes) in classes.iter().chain(input) {
        read::read(bytes.as_slice(), name, &mut |found| cluster.learn(&found));
    }
    let host = Native(Arc::new(cluster.runtime_classes.clone()));
    let judge = Judge { policies, cluster: &cluster, host: &host, namespace: "default" };
    let mut tally = Tally::default();
    for (name, bytes) in input {
        read::read(bytes.as_slice(), name, &mut |found| judge.judge(found, &mut tally));
    }
    Report::new(&judge, tally)
}
