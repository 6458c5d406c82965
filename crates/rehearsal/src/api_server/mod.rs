//! What the API server makes of an object before it calls a webhook, and what it refuses.
//!
//! ```text
//! object ─► defaults ─► plugins ─► (webhooks) ─► RuntimeClass plugin again ─► validation ─► stored
//!                          └ refused                      └ refused                └ refused
//! ```
//! Objects stay untyped: fields of a newer Kubernetes survive, and what is not understood stays as it is.

mod defaults;
mod fields;
mod image;
mod kinds;
mod plugins;
mod quantity;
mod refusals;
mod template;

use serde_json::Value;
use std::collections::BTreeMap;

pub use defaults::set_defaults;
pub use kinds::{KINDS, Kind, kind_of};
pub use plugins::{admit_pod, apply_runtime_class};
pub use refusals::{Refused, validate};
pub use template::{pod_of_template, user_of};

/// The RuntimeClasses of the cluster by name. `None`: they are not known, and nothing about classes is refused.
pub type Classes<'a> = Option<&'a BTreeMap<String, Value>>;
