//! The settings, as the module has validated them.
use serde_json::Value;

use super::cel;
use crate::policy::Policy;

/// The settings of the policy.
pub struct Settings {
    pub restriction: Restriction,
    pub default_reserved: bool,
    pub fallback: Option<Fallback>,
    pub match_handlers: Option<bool>,
}

/// Which runtimes a workload may name. A list is a regular expression.
pub enum Restriction {
    None,
    Reserved(String),
    Allowed(String),
}

/// The class given to Pods.
pub struct Fallback {
    pub class: String,
    /// Whether Pods that name a class that they may not use get it, too.
    pub is_for_all: bool,
}

impl Settings {
    pub fn of(settings: &Value) -> Self {
        let list = |key: &str| {
            let entries: Vec<_> = settings[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            (!entries.is_empty()).then(|| cel::pattern(&entries))
        };
        let restriction = match (list("reservedRuntimes"), list("allowedRuntimes")) {
            (Some(reserved), _) => Restriction::Reserved(reserved),
            (None, Some(allowed)) => Restriction::Allowed(allowed),
            (None, None) => Restriction::None,
        };
        let fallback = settings["fallbackRuntime"].as_str().filter(|class| !class.is_empty());
        Self {
            restriction,
            default_reserved: settings["defaultRuntimeReserved"].as_bool().unwrap_or_default(),
            fallback: fallback
                .map(|class| Fallback { class: class.to_owned(), is_for_all: settings["fallbackFor"] != "default" }),
            match_handlers: settings["matchHandlers"].as_bool(),
        }
    }

    /// Whether entries match the handlers of classes, too.
    pub fn matches_handlers(&self, policy: &Policy) -> bool {
        self.match_handlers.unwrap_or_else(|| policy.reads_classes()) && !matches!(self.restriction, Restriction::None)
    }
}
