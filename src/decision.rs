//! The decision: the table of the README, as a pure function.
//!
//! It knows the settings, the class that a workload names, and the cluster's RuntimeClasses, which
//! it asks for once, and only when the answer depends on them.
use std::fmt;

use crate::{
    runtime_class::{ReadError, RuntimeClass, RuntimeClasses, Scheduling},
    settings::{MatchHandlers, Runtimes, Settings},
};

/// What is to happen with a workload.
#[derive(Debug, PartialEq)]
pub enum Decision<'a> {
    Accept,
    Reject(Violation<'a>),
    Change(Change<'a>),
}

/// The class that a workload gets instead of the one that it names, if it names one.
#[derive(Debug, PartialEq)]
pub struct Change<'a> {
    pub to: &'a str,
    /// What is wrong with the class that it names; `None` if it names none.
    pub because: Option<Violation<'a>>,
    /// What the API server merged into a Pod of that class.
    pub scheduling: Option<Scheduling<'a>>,
}

/// Why a workload may not run as it asks to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Violation<'a> {
    DefaultReserved,
    NameReserved { class: &'a str },
    HandlerReserved { class: &'a str, handler: &'a str },
    NotAllowed { class: &'a str, handler: Option<&'a str> },
}

/// Why there is no decision: what the operator has to mend.
#[derive(Debug, PartialEq)]
pub enum Failure<'a> {
    AccessNotGranted,
    ClassesUnavailable(String),
    NoSuchFallback(&'a str),
    FallbackRefused { fallback: &'a str, because: Violation<'a> },
}

/// Decides on a workload that names `class`.
///
/// # Errors
/// The cluster's RuntimeClasses are needed and can't be read, or the fallback is not one that the
/// settings let pass.
pub fn decide<'a>(
    settings: &'a Settings<'a>,
    class: Option<&'a str>,
    cluster: &'a impl RuntimeClasses,
) -> Result<Decision<'a>, Failure<'a>> {
    let classes = if depends_on_classes(settings, class) { known_classes(settings, cluster)? } else { None };
    let asked = class.and_then(|class| find(classes.as_deref()?, class));
    let because = class.and_then(|class| violation(settings, class, asked.map(|class| class.handler)));

    Ok(match (class, because, settings.fallback_runtime.as_deref()) {
        (None, _, None) if settings.default_runtime_reserved => Decision::Reject(Violation::DefaultReserved),
        (None, _, None) | (Some(_), None, _) => Decision::Accept,
        (Some(_), Some(violation), None) => Decision::Reject(violation),
        (_, because, Some(fallback)) => {
            check_fallback(settings, fallback, classes.as_deref())?;
            let scheduling = asked.and_then(|class| class.scheduling);
            Decision::Change(Change { to: fallback, because, scheduling })
        }
    })
}

/// What is wrong with a class, whose handler may be known.
fn violation<'a>(settings: &Settings, class: &'a str, handler: Option<&'a str>) -> Option<Violation<'a>> {
    match &settings.runtimes {
        Runtimes::Any => None,
        Runtimes::Reserved(reserved) if reserved.matches(class) => Some(Violation::NameReserved { class }),
        Runtimes::Reserved(reserved) => handler
            .filter(|handler| reserved.matches(handler))
            .map(|handler| Violation::HandlerReserved { class, handler }),
        Runtimes::Allowed(allowed) if allowed.matches(class) => None,
        Runtimes::Allowed(allowed) if handler.is_some_and(|handler| allowed.matches(handler)) => None,
        Runtimes::Allowed(_) => Some(Violation::NotAllowed { class, handler }),
    }
}

/// Whether more than names is needed: the handler may yet decide, or the class is about to change.
fn depends_on_classes(settings: &Settings, class: Option<&str>) -> bool {
    if settings.match_handlers == MatchHandlers::Never {
        return false;
    }
    let Some(class) = class else { return settings.fallback_runtime.is_some() };
    let by_name = violation(settings, class, None);
    match &settings.runtimes {
        Runtimes::Any => false,
        Runtimes::Reserved(_) => by_name.is_none() || settings.fallback_runtime.is_some(),
        Runtimes::Allowed(_) => by_name.is_some(),
    }
}

/// The cluster's classes; `None` where names alone are compared.
fn known_classes<'a>(
    settings: &Settings,
    cluster: &'a impl RuntimeClasses,
) -> Result<Option<Vec<RuntimeClass<'a>>>, Failure<'a>> {
    match (cluster.list(), settings.match_handlers) {
        (Ok(classes), _) => Ok(Some(classes)),
        (Err(ReadError::NotGranted), MatchHandlers::Always) => Err(Failure::AccessNotGranted),
        (Err(ReadError::NotGranted), _) => Ok(None),
        (Err(ReadError::Failed(error)), _) => Err(Failure::ClassesUnavailable(error)),
    }
}

/// Refuses to give workloads a class that they may not have.
fn check_fallback<'a>(
    settings: &Settings,
    fallback: &'a str,
    classes: Option<&[RuntimeClass<'a>]>,
) -> Result<(), Failure<'a>> {
    let handler = match classes {
        Some(classes) => Some(find(classes, fallback).ok_or(Failure::NoSuchFallback(fallback))?.handler),
        None => None,
    };
    match violation(settings, fallback, handler) {
        Some(because) => Err(Failure::FallbackRefused { fallback, because }),
        None => Ok(()),
    }
}

fn find<'c, 'a>(classes: &'c [RuntimeClass<'a>], name: &str) -> Option<&'c RuntimeClass<'a>> {
    classes.iter().find(|class| class.name == name)
}

impl Change<'_> {
    /// The warning for the user, who named a class and gets another; none for a user who named none.
    pub fn warning(&self, kind: &str) -> Option<String> {
        let (class, fault) = match self.because? {
            Violation::DefaultReserved => return None,
            Violation::NameReserved { class } | Violation::HandlerReserved { class, .. } => (class, "reserved"),
            Violation::NotAllowed { class, .. } => (class, "not allowed"),
        };
        Some(format!("runtime '{class}' is {fault}: this {kind} will run with '{}'", self.to))
    }
}

impl fmt::Display for Violation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::DefaultReserved => f.write_str("Usage of the default runtime is reserved"),
            Violation::NameReserved { class } => write!(f, "runtime '{class}' is reserved"),
            Violation::HandlerReserved { class, handler } => {
                write!(f, "runtime '{class}' is reserved: it runs on '{handler}'")
            }
            Violation::NotAllowed { class, .. } => write!(f, "runtime '{class}' is not allowed"),
        }
    }
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::AccessNotGranted => f.write_str(
                "matchHandlers is true, but this policy has not been granted access to RuntimeClasses: \
                 add {apiVersion: node.k8s.io/v1, kind: RuntimeClass} to its contextAwareResources",
            ),
            Failure::ClassesUnavailable(error) => write!(f, "RuntimeClasses can't be read: {error}"),
            Failure::NoSuchFallback(fallback) => {
                write!(f, "fallbackRuntime '{fallback}' is not a RuntimeClass of this cluster")
            }
            Failure::FallbackRefused { fallback, because } => {
                write!(f, "fallbackRuntime '{fallback}' ")?;
                match because {
                    Violation::HandlerReserved { handler, .. } => write!(f, "runs on '{handler}', which is reserved"),
                    Violation::NotAllowed { handler: Some(handler), .. } => {
                        write!(f, "runs on '{handler}', which is not allowed")
                    }
                    Violation::NotAllowed { handler: None, .. } => {
                        f.write_str("is not allowed by its name, and its handler is not known")
                    }
                    Violation::DefaultReserved | Violation::NameReserved { .. } => f.write_str("is reserved"),
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use std::cell::Cell;

    use rstest::rstest;

    use super::*;

    /// A cluster that is a list, and counts how often it is read.
    struct Listed {
        classes: Result<Vec<RuntimeClass<'static>>, ReadError>,
        reads: Cell<usize>,
    }

    impl RuntimeClasses for Listed {
        fn list(&self) -> Result<Vec<RuntimeClass<'_>>, ReadError> {
            self.reads.set(self.reads.get() + 1);
            match &self.classes {
                Ok(classes) => Ok(classes.clone()),
                Err(ReadError::NotGranted) => Err(ReadError::NotGranted),
                Err(ReadError::Failed(error)) => Err(ReadError::Failed(error.clone())),
            }
        }
    }

    fn listed() -> Listed {
        let class = |name, handler| RuntimeClass { name, handler, scheduling: None };
        Listed { classes: Ok(vec![class("plain", "runc"), class("sandbox", "kata")]), reads: Cell::new(0) }
    }

    fn settings(json: &str) -> Settings<'_> {
        Settings::parse(json.as_bytes()).expect("settings that are right")
    }

    #[rstest]
    #[case(None, Ok(Decision::Change(Change { to: "sandbox", because: None, scheduling: None })))]
    #[case(
        Some("plain"),
        Ok(Decision::Change(Change {
            to: "sandbox",
            because: Some(Violation::HandlerReserved { class: "plain", handler: "runc" }),
            scheduling: None,
        }))
    )]
    #[case(Some("sandbox"), Ok(Decision::Accept))]
    #[case(Some("ghost"), Ok(Decision::Accept))]
    fn one_read_of_the_classes_is_enough(#[case] class: Option<&str>, #[case] decision: Result<Decision, Failure>) {
        let (settings, cluster) =
            (settings(r#"{"reservedRuntimes": ["runC"], "fallbackRuntime": "sandbox"}"#), listed());
        assert_eq!(decide(&settings, class, &cluster), decision);
        assert_eq!(cluster.reads.get(), 1);
    }

    #[rstest]
    #[case("{}", Some("plain"), Decision::Accept)]
    #[case(r#"{"reservedRuntimes": ["runc"]}"#, None, Decision::Accept)]
    #[case(r#"{"defaultRuntimeReserved": true}"#, None, Decision::Reject(Violation::DefaultReserved))]
    #[case(
        r#"{"reservedRuntimes": ["pl*"]}"#,
        Some("plain"),
        Decision::Reject(Violation::NameReserved { class: "plain" })
    )]
    #[case(r#"{"allowedRuntimes": ["plain"], "fallbackRuntime": "sandbox"}"#, Some("plain"), Decision::Accept)]
    fn none_is_made_where_the_answer_cannot_depend_on_it(
        #[case] json: &str,
        #[case] class: Option<&str>,
        #[case] decision: Decision,
    ) {
        let (settings, cluster) = (settings(json), listed());
        assert_eq!(decide(&settings, class, &cluster), Ok(decision));
        assert_eq!(cluster.reads.get(), 0);
    }
}
