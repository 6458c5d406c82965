//! The decision: the table of the README in CEL.
use std::collections::BTreeMap;

use super::{cel, classes::Class, settings::Restriction};

/// What the decision on a class depends on.
pub struct Decision<'a> {
    pub restriction: &'a Restriction,
    pub handlers: Handlers<'a>,
}

/// How the handler of a class is known.
#[derive(Clone, Copy)]
pub enum Handlers<'a> {
    /// It is not: names are compared alone.
    Unknown,
    /// From the variable `handlers`.
    Baked(&'a BTreeMap<&'a str, &'a Class>),
    /// From the RuntimeClass that is the parameter, which is the one that the workload names.
    OfParameter,
}

/// What the rows of the table come to, in CEL.
pub struct Outcomes {
    /// For no class.
    pub default: String,
    /// For a class that is refused by its name.
    pub reserved: String,
    /// For a class that is refused by its handler.
    pub reserved_handler: String,
    pub not_allowed: String,
    /// For a class that was not baked in.
    pub unknown: String,
    pub accepted: String,
}

/// The class that the workload names, or `""`.
pub const RUNTIME: &str = "variables.runtime";

const IS_KEPT: &str = r#"request.operation == "UPDATE" && variables.runtime == variables.oldRuntime"#;

impl Decision<'_> {
    /// The decision on the class in the variable `runtime`; none if it always comes to `accepted`.
    ///
    /// An update that keeps the class, which the variable `oldRuntime` has then, is accepted.
    pub fn choose(&self, outcomes: &Outcomes, judges_updates: bool) -> Option<String> {
        let mut rows = vec![];
        if judges_updates {
            rows.push((IS_KEPT.to_owned(), outcomes.accepted.clone()));
        }
        rows.push((format!("{RUNTIME} == \"\""), outcomes.default.clone()));
        let otherwise = match self.restriction {
            Restriction::None => &outcomes.accepted,
            Restriction::Reserved(reserved) => {
                rows.push((format!("{RUNTIME}.matches({reserved})"), outcomes.reserved.clone()));
                self.push_handler(&mut rows, reserved, outcomes, &outcomes.reserved_handler);
                &outcomes.accepted
            }
            Restriction::Allowed(allowed) => {
                rows.push((format!("{RUNTIME}.matches({allowed})"), outcomes.accepted.clone()));
                self.push_handler(&mut rows, allowed, outcomes, &outcomes.accepted);
                &outcomes.not_allowed
            }
        };
        let choice = cel::choice(&rows, otherwise);
        choice.or_else(|| (otherwise != &outcomes.accepted).then(|| otherwise.clone()))
    }

    fn push_handler(&self, rows: &mut Vec<(String, String)>, pattern: &str, outcomes: &Outcomes, matched: &str) {
        if let Handlers::Baked(_) = self.handlers {
            rows.push((format!("!({RUNTIME} in variables.handlers)"), outcomes.unknown.clone()));
        }
        if let Some(handler) = self.handler() {
            rows.push((format!("{handler}.matches({pattern})"), matched.to_owned()));
        }
    }

    /// The handler of the class that the workload names.
    fn handler(&self) -> Option<&'static str> {
        match self.handlers {
            Handlers::Unknown => None,
            Handlers::Baked(_) => Some("variables.handlers[variables.runtime]"),
            Handlers::OfParameter => Some("params.handler"),
        }
    }

    /// What the policy says to the workloads that it rejects.
    pub fn words(&self, is_default_reserved: bool) -> Outcomes {
        let violation = |fault: &str| format!(r#""runtime '" + {RUNTIME} + "' {fault}""#);
        let handler = self.handler().unwrap_or_default();
        Outcomes {
            default: cel::string(if is_default_reserved { "Usage of the default runtime is reserved" } else { "" }),
            reserved: violation("is reserved"),
            reserved_handler: violation(&format!(r#"is reserved: it runs on '" + {handler} + "'"#)),
            not_allowed: violation("is not allowed"),
            unknown: violation(
                "is not a RuntimeClass that this policy knows: render it again with kubectl runtime-class native",
            ),
            accepted: cel::string(""),
        }
    }

    /// The same without what has to be known of a class but its name.
    pub fn by_name(&self) -> Decision<'_> {
        let restriction =
            if let Restriction::Allowed(_) = self.restriction { &Restriction::None } else { self.restriction };
        Decision { restriction, handlers: Handlers::Unknown }
    }
}

impl Outcomes {
    /// Whether a Pod is given the fallback: one that names no class, and one that names a class that is refused.
    pub fn is_moved(default: bool, named: bool) -> Self {
        let [default, named, kept] = [default, named, false].map(|is_moved| is_moved.to_string());
        Self {
            default,
            reserved: named.clone(),
            reserved_handler: named.clone(),
            not_allowed: named,
            unknown: kept.clone(),
            accepted: kept,
        }
    }

    /// With nothing said of a class that is refused.
    pub fn without_violations(self) -> Self {
        let accepted = &self.accepted;
        Self { reserved: accepted.clone(), reserved_handler: accepted.clone(), not_allowed: accepted.clone(), ..self }
    }
}
