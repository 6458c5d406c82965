//! The decision: the table of the README.
//!
//! It depends on the settings, the class that a workload names, and at most two RuntimeClasses of the
//! cluster, which it looks up only if the answer depends on them.

use crate::message::short;
use crate::runtime_class::{ReadError, RuntimeClass, Scheduling};
use crate::runtimes::{ClassName, Runtimes};
use crate::settings::{Restriction, Settings};

/// What happens to a workload.
#[derive(Debug)]
pub enum Decision<'a> {
    Accept,
    /// The template is accepted as it is, but its Pods will be mutated.
    Warn {
        violation: Violation<'a>,
        fallback: &'a str,
    },
    Reject(Rejection<'a>),
    Mutate(Mutation<'a>),
}

/// The class that a Pod gets.
#[derive(Debug)]
pub struct Mutation<'a> {
    pub fallback: &'a str,
    /// Why it does not keep the class that it names, if it names one.
    pub violation: Option<Violation<'a>>,
    /// The scheduling of that class, if it is known.
    pub scheduling: Option<Scheduling>,
}

/// Why a workload is rejected.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Rejection<'a> {
    #[error("Usage of the default runtime is reserved")]
    DefaultReserved,
    #[error("{}{}", .0, runs_on(.0))]
    Violation(Violation<'a>),
    #[error("runtime '{}' is not a RuntimeClass of this cluster", short(.0))]
    NoSuchClass(&'a str),
}

/// Why Pods may not run with a class. Displayed as rejections and warnings begin.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("runtime '{}' is {fault}", short(.class))]
pub struct Violation<'a> {
    class: &'a str,
    fault: Fault,
    /// The handler of the class, unless its name alone is at fault.
    handler: Option<String>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    #[error("reserved")]
    Reserved,
    #[error("not allowed")]
    NotAllowed,
}

/// Why there is no decision: the operator has to fix the cluster or the settings.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Failure<'a> {
    /// `matchHandlers` is true, and the policy has no access to RuntimeClasses.
    #[error("matchHandlers is true, but RuntimeClass '{}' can't be read: {error}", short(.class))]
    NotGranted { class: &'a str, error: ReadError },
    #[error("RuntimeClass '{}' can't be read: {error}", short(.class))]
    Unreadable { class: &'a str, error: ReadError },
    #[error("fallbackRuntime '{0}' is not a RuntimeClass of this cluster")]
    NoSuchFallback(&'a str),
    #[error("fallbackRuntime '{fallback}' runs on '{}', which is {fault}", short(.handler))]
    FallbackNotPermitted { fallback: &'a str, fault: Fault, handler: String },
    #[error(
        "fallbackRuntime '{fallback}' is {fault} by name, and its handler is unknown because the policy has no access to RuntimeClasses"
    )]
    FallbackNotPermittedByName { fallback: &'a str, fault: Fault },
}

/// Decides on a Pod, or on an object that creates Pods from a template, which names `class`.
///
/// # Errors
/// A RuntimeClass that the decision depends on can't be read, or Pods can't be given the fallback.
pub fn decide<'a>(settings: &'a Settings, is_pod: bool, class: Option<&'a str>) -> Result<Decision<'a>, Failure<'a>> {
    let (restriction, mut match_handlers) = (&settings.restriction, settings.match_handlers);
    let known = match class {
        Some(class) if !restriction.is_settled_by_name(class) => look_up(class, &mut match_handlers)?,
        _ => Class::NameOnly,
    };
    let violation = class.and_then(|class| violation(restriction, class, &known));

    Ok(match (class, violation, settings.fallback(class)) {
        (None, _, None) if settings.default_runtime_reserved => Decision::Reject(Rejection::DefaultReserved),
        (None, _, None) => Decision::Accept,
        (Some(class), ..) if matches!(known, Class::Missing) => Decision::Reject(Rejection::NoSuchClass(class)),
        (Some(_), None, _) => Decision::Accept,
        (Some(_), Some(violation), None) => Decision::Reject(Rejection::Violation(violation)),
        (_, Some(violation), Some(fallback)) if !is_pod => Decision::Warn { violation, fallback },
        (None, ..) if !is_pod => Decision::Accept,
        (class, violation, Some(fallback)) => {
            let old = match (class, known) {
                (Some(class), Class::NameOnly) => look_up(class, &mut match_handlers)?,
                (_, known) => known,
            };
            let scheduling = match (class, &old) {
                (Some(class), Class::Found(old)) => {
                    old.scheduling().map_err(|error| Failure::Unreadable { class, error })?
                }
                _ => None,
            };
            let new = if class == Some(fallback) { old } else { look_up(fallback, &mut match_handlers)? };
            check_fallback(restriction, fallback, &new)?;
            Decision::Mutate(Mutation { fallback, violation, scheduling })
        }
    })
}

/// Why Pods may not run with a class.
fn violation<'a>(restriction: &Restriction, class: &'a str, known: &Class) -> Option<Violation<'a>> {
    let handler = if let Class::Found(class) = known { Some(class.handler.as_str()) } else { None };
    let matches_handler = |runtimes: &Runtimes| handler.is_some_and(|handler| runtimes.matches(handler));
    let (fault, handler) = match restriction {
        Restriction::Reserved(reserved) if reserved.matches(class) => (Fault::Reserved, None),
        Restriction::Reserved(reserved) if matches_handler(reserved) => (Fault::Reserved, handler),
        Restriction::Allowed(allowed) if !allowed.matches(class) && !matches_handler(allowed) => {
            (Fault::NotAllowed, handler)
        }
        _ => return None,
    };
    Some(Violation { class, fault, handler: handler.map(str::to_owned) })
}

/// Checks that Pods may be given the fallback.
fn check_fallback<'a>(restriction: &Restriction, fallback: &'a str, known: &Class) -> Result<(), Failure<'a>> {
    if matches!(known, Class::Missing) {
        return Err(Failure::NoSuchFallback(fallback));
    }
    match violation(restriction, fallback, known) {
        Some(Violation { fault, handler: Some(handler), .. }) => {
            Err(Failure::FallbackNotPermitted { fallback, fault, handler })
        }
        Some(Violation { fault, handler: None, .. }) => Err(Failure::FallbackNotPermittedByName { fallback, fault }),
        None => Ok(()),
    }
}

/// What is known of a class.
enum Class {
    Found(RuntimeClass),
    Missing,
    /// Nothing but its name: that settles it, `matchHandlers` is false, or the policy has no access to RuntimeClasses.
    NameOnly,
}

/// Looks a class up in the cluster. Without access, an automatic `matchHandlers` becomes false.
fn look_up<'a>(class: &'a str, match_handlers: &mut Option<bool>) -> Result<Class, Failure<'a>> {
    if *match_handlers == Some(false) {
        return Ok(Class::NameOnly);
    }
    // In a template, the API server has not checked the name yet, and the host makes a path of it.
    let Some(name) = ClassName::new(class) else { return Ok(Class::Missing) };
    match RuntimeClass::get(name) {
        Ok(found) => Ok(found.map_or(Class::Missing, Class::Found)),
        Err(ReadError::NotGranted { .. }) if match_handlers.is_none() => {
            *match_handlers = Some(false);
            Ok(Class::NameOnly)
        }
        Err(error @ ReadError::NotGranted { .. }) => Err(Failure::NotGranted { class, error }),
        Err(error) => Err(Failure::Unreadable { class, error }),
    }
}

/// What a rejection says after the violation.
fn runs_on(violation: &Violation) -> String {
    match (&violation.fault, &violation.handler) {
        (Fault::Reserved, Some(handler)) => format!(": it runs on '{}'", short(handler)),
        _ => String::new(),
    }
}
