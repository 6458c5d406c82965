//! Asking the host for the cluster's [RuntimeClasses](https://kubernetes.io/docs/concepts/containers/runtime-class/).
use std::{cell::OnceCell, fmt};

use kubewarden_policy_sdk::wapc_guest;
use serde::Deserialize;
use serde_json::value::RawValue;
use simdutf8::compat::from_utf8;

/// What the policy knows of a RuntimeClass.
#[derive(Clone, Debug, PartialEq)]
pub struct RuntimeClass<'a> {
    pub name: &'a str,
    /// What its Pods run on.
    pub handler: &'a str,
    /// What the API server merges into its Pods.
    pub scheduling: Option<Scheduling<'a>>,
}

/// The `scheduling` of a RuntimeClass, as the cluster has it.
#[derive(Clone, Copy, Debug)]
pub struct Scheduling<'a>(pub &'a RawValue);

impl PartialEq for Scheduling<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// Why the RuntimeClasses are not known.
#[derive(Debug, PartialEq)]
pub enum ReadError {
    /// The policy may not read them.
    NotGranted,
    /// It may, and it failed; what the host said, on one line.
    Failed(String),
}

/// The cluster's RuntimeClasses, to be read when an answer depends on them.
pub trait RuntimeClasses {
    /// All of them. Each call asks anew: keep the answer.
    ///
    /// # Errors
    /// The cluster's classes can't be read.
    fn list(&self) -> Result<Vec<RuntimeClass<'_>>, ReadError>;
}

/// The cluster, as the host of the policy shows it.
#[derive(Default)]
pub struct Cluster {
    answer: OnceCell<Vec<u8>>,
}

/// The call [`list_all_resources`](https://docs.kubewarden.io/reference/spec/host-capabilities/kubernetes)
/// for RuntimeClasses, of which three fields matter. policy-server answers it from a watch.
const LIST: &str = concat!(
    r#"{"api_version":"node.k8s.io/v1","kind":"RuntimeClass","label_selector":null,"field_selector":null,"#,
    r#""field_masks":["handler","metadata.name","scheduling"]}"#
);

/// What the host says where a policy's `contextAwareResources` do not list what it asks for.
const NOT_GRANTED: &[u8] = b"has not been granted access";

impl RuntimeClasses for Cluster {
    fn list(&self) -> Result<Vec<RuntimeClass<'_>>, ReadError> {
        let answer = wapc_guest::host_call("kubewarden", "kubernetes", "list_resources_all", LIST.as_bytes());
        let answer = answer.map_err(|error| ReadError::of(&error.to_string()))?;
        parse(self.answer.get_or_init(|| answer))
    }
}

impl ReadError {
    /// Tells from the first line of what the host says. What follows, a backtrace it may be, is
    /// nobody's message, and no word in it may pass for another one.
    fn of(error: &str) -> Self {
        let not_granted = error.as_bytes().windows(NOT_GRANTED.len()).position(|words| words == NOT_GRANTED);
        match not_granted.and_then(|at| error.get(..at)) {
            Some(before) if !before.contains('\n') => Self::NotGranted,
            _ => Self::Failed(error.lines().next().unwrap_or_default().trim_start_matches("Host error: ").to_owned()),
        }
    }

    /// The host's answer is no list of RuntimeClasses.
    fn unreadable(error: impl fmt::Display) -> Self {
        Self::Failed(format!("the host's answer: {error}"))
    }
}

/// Reads a RuntimeClassList.
fn parse(list: &[u8]) -> Result<Vec<RuntimeClass<'_>>, ReadError> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        items: Vec<Item<'a>>,
    }
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow)]
        metadata: Metadata<'a>,
        handler: &'a str,
        #[serde(borrow)]
        scheduling: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Metadata<'a> {
        name: &'a str,
    }
    let list = from_utf8(list).map_err(ReadError::unreadable)?;
    let list: List = serde_json::from_str(list).map_err(ReadError::unreadable)?;
    let classes = list.items.into_iter().map(|Item { metadata, handler, scheduling }| RuntimeClass {
        name: metadata.name,
        handler,
        scheduling: scheduling.map(Scheduling),
    });
    Ok(classes.collect())
}
