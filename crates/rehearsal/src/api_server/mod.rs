//! What the API server makes of an object before it calls a webhook, and what it refuses.
//!
//! ```text
//! object ─► defaults ─► plugins ─► (webhooks) ─► defaults ─► plugins ─► validation ─► stored
//!                          └ refused                            └ refused    └ refused
//! ```
//! Objects stay untyped: fields of a newer Kubernetes survive, and what is not understood stays as it is.

mod defaults;
mod empty;
mod fields;
mod image;
mod kinds;
mod plugins;
mod quantity;
mod refusals;
mod resources;
mod template;
mod types;
mod validation;

use serde_json::Value;
use std::collections::BTreeMap;

pub use defaults::set_defaults;
pub use kinds::{KINDS, Kind, kind_of};
pub use plugins::admit_pod;
pub use refusals::{Refused, read_again, validate};
pub use template::{pod_of_template, user_of};
pub use types::decode;

/// The RuntimeClasses of the cluster by name. `None`: they are not known, and nothing about classes is refused.
pub type Classes<'a> = Option<&'a BTreeMap<String, Value>>;
