//! The module as the properties of the fuzzer ask it.
use std::sync::{Arc, Mutex, MutexGuard};

use fuzz::native::Told;
use kubectl_runtime_class::guest::Instance;
use model::{Cluster, class_asked_for};
use tests::policy;

/// An instance of the module, and the cluster that it is in.
pub struct Guest {
    instance: Instance,
    host: Arc<Mutex<Host>>,
}

struct Host {
    cluster: Cluster,
    calls: Vec<String>,
}

impl Guest {
    pub fn new(cluster: &Cluster) -> Self {
        let host = Arc::new(Mutex::new(Host { cluster: cluster.clone(), calls: vec![] }));
        let of_guest = Arc::clone(&host);
        let instance = policy().instance(move |binding, namespace, operation, payload| {
            let name = class_asked_for([binding, namespace, operation], payload);
            let mut host = lock(&of_guest);
            host.calls.push(name.clone());
            host.cluster.reply(host.calls.len(), &name).map_err(Into::into)
        });
        Self { instance: instance.expect("an instance"), host }
    }

    /// Calls `validate`.
    pub fn ask(&mut self, payload: &[u8]) -> Told {
        let answer = self.instance.call("validate", payload).expect("an answer, no trap");
        let calls = std::mem::take(&mut lock(&self.host).calls);
        Told { text: String::from_utf8(answer).expect("an answer in UTF-8"), calls }
    }
}

fn lock(host: &Mutex<Host>) -> MutexGuard<'_, Host> {
    host.lock().expect("no panic in the host")
}

/// Calls `validate` in a fresh instance.
pub fn ask_the_module(payload: &[u8], cluster: &Cluster) -> Told {
    Guest::new(cluster).ask(payload)
}
