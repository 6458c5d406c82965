//! The decision: the table of the README as a pure function.
//!
//! It depends on the settings, the class that a workload names, and at most two RuntimeClasses of the
//! cluster, which it looks up only if the answer depends on them.
use std::{fmt, rc::Rc};

use crate::{
    admission::Form,
    message::name,
    runtime_class::{Access, ReadError, RuntimeClass, RuntimeClasses, Scheduling},
    runtimes::{ClassName, Runtimes},
    settings::{MatchHandlers, Restriction, Settings},
};

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
    pub scheduling: Option<Scheduling<'a>>,
}

/// Why a workload is rejected.
#[derive(Debug, PartialEq)]
pub enum Rejection<'a> {
    DefaultReserved,
    Violation(Violation<'a>),
    NoSuchClass(&'a str),
}

/// Why Pods may not run with a class.
#[derive(Debug, PartialEq)]
pub struct Violation<'a> {
    class: &'a str,
    fault: Fault,
    /// The handler of the class, unless its name alone is at fault.
    handler: Option<String>,
}

#[derive(Debug, PartialEq)]
enum Fault {
    Reserved,
    NotAllowed,
}

/// Why there is no decision: the operator has to fix the cluster or the settings.
#[derive(Debug, PartialEq)]
pub enum Failure<'a> {
    /// `matchHandlers` is true, and the policy has no access to RuntimeClasses.
    NotGranted {
        class: &'a str,
        told: String,
        missing: Access,
    },
    Unreadable {
        class: &'a str,
        told: String,
    },
    NoSuchFallback(&'a str),
    FallbackNotPermitted(Violation<'a>),
}

/// Decides on a workload that names `class`.
///
/// # Errors
/// A RuntimeClass that the decision depends on can't be read, or Pods can't be given the fallback.
pub fn decide<'a>(
    settings: &'a Settings<'a>,
    form: Form,
    class: Option<&'a str>,
    cluster: &'a impl RuntimeClasses,
) -> Result<Decision<'a>, Failure<'a>> {
    let mut lookup = Lookup::new(cluster, settings.match_handlers);
    let known = match class {
        Some(class) if !settings.restriction.is_settled_by_name(class) => lookup.get(class)?,
        _ => Class::NameOnly,
    };
    let violation = class.and_then(|class| violation(&settings.restriction, class, known.handler()));

    Ok(match (class, violation, settings.fallback(class)) {
        (None, _, None) if settings.default_runtime_reserved => Decision::Reject(Rejection::DefaultReserved),
        (None, _, None) => Decision::Accept,
        (Some(class), ..) if known.is_missing() => Decision::Reject(Rejection::NoSuchClass(class)),
        (Some(_), None, _) => Decision::Accept,
        (Some(_), Some(violation), None) => Decision::Reject(Rejection::Violation(violation)),
        (class, violation, Some(fallback)) => match (form, violation) {
            (Form::Pod, violation) => {
                let scheduling = class.map(|class| lookup.scheduling(class)).transpose()?.flatten();
                check_fallback(settings, fallback, &lookup.get(fallback)?)?;
                Decision::Mutate(Mutation { fallback, violation, scheduling })
            }
            (Form::Template, Some(violation)) => Decision::Warn { violation, fallback },
            (Form::Template, None) => Decision::Accept,
        },
    })
}

/// Why Pods may not run with a class, whose handler may be known.
fn violation<'a>(restriction: &Restriction, class: &'a str, handler: Option<&str>) -> Option<Violation<'a>> {
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
fn check_fallback<'a>(settings: &Settings, fallback: &'a str, known: &Class) -> Result<(), Failure<'a>> {
    if known.is_missing() {
        return Err(Failure::NoSuchFallback(fallback));
    }
    match violation(&settings.restriction, fallback, known.handler()) {
        Some(violation) => Err(Failure::FallbackNotPermitted(violation)),
        None => Ok(()),
    }
}

/// What is known of a class.
#[derive(Clone)]
enum Class<'a> {
    Found(Rc<RuntimeClass<'a>>),
    Missing,
    /// Nothing but its name: `matchHandlers` is false, or the policy has no access to RuntimeClasses.
    NameOnly,
}

impl<'a> Class<'a> {
    fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    fn handler(&self) -> Option<&str> {
        match self {
            Self::Found(class) => Some(&class.handler),
            Self::Missing | Self::NameOnly => None,
        }
    }
}

/// Looks classes up in the cluster. It remembers the last one, and whether it has no access.
struct Lookup<'a, C> {
    cluster: &'a C,
    match_handlers: MatchHandlers,
    last: Option<(&'a str, Class<'a>)>,
}

impl<'a, C: RuntimeClasses> Lookup<'a, C> {
    fn new(cluster: &'a C, match_handlers: MatchHandlers) -> Self {
        Self { cluster, match_handlers, last: None }
    }

    fn get(&mut self, class: &'a str) -> Result<Class<'a>, Failure<'a>> {
        if self.match_handlers == MatchHandlers::Never {
            return Ok(Class::NameOnly);
        }
        if let Some((name, known)) = &self.last
            && *name == class
        {
            return Ok(known.clone());
        }
        // In a template, the API server has not checked the name yet, and the host makes a path of it.
        let Some(name) = ClassName::new(class) else { return Ok(Class::Missing) };
        let known = match self.cluster.get(name) {
            Ok(Some(class)) => Class::Found(Rc::new(class)),
            Ok(None) => Class::Missing,
            Err(ReadError::Failed(told)) => return Err(Failure::Unreadable { class, told }),
            Err(ReadError::NotGranted { told, missing }) if self.match_handlers == MatchHandlers::Always => {
                return Err(Failure::NotGranted { class, told, missing });
            }
            Err(ReadError::NotGranted { .. }) => {
                self.match_handlers = MatchHandlers::Never;
                Class::NameOnly
            }
        };
        self.last = Some((class, known.clone()));
        Ok(known)
    }

    /// The scheduling of a class, if the class is known.
    fn scheduling(&mut self, class: &'a str) -> Result<Option<Scheduling<'a>>, Failure<'a>> {
        match self.get(class)? {
            Class::Found(found) => found.scheduling().map(Some).map_err(|told| Failure::Unreadable { class, told }),
            Class::Missing | Class::NameOnly => Ok(None),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reserved => "reserved",
            Self::NotAllowed => "not allowed",
        })
    }
}

/// The part that rejections and warnings have in common.
impl fmt::Display for Violation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "runtime '{}' is {}", name(self.class), self.fault)
    }
}

impl fmt::Display for Rejection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DefaultReserved => f.write_str("Usage of the default runtime is reserved"),
            Self::NoSuchClass(class) => write!(f, "runtime '{}' is not a RuntimeClass of this cluster", name(class)),
            Self::Violation(violation @ Violation { fault: Fault::Reserved, handler: Some(handler), .. }) => {
                write!(f, "{violation}: it runs on '{}'", name(handler))
            }
            Self::Violation(violation) => violation.fmt(f),
        }
    }
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted { class, told, missing } => {
                write!(f, "matchHandlers is true, but RuntimeClass '{}' can't be read: {told} ", name(class))?;
                f.write_str(match missing {
                    Access::Resource => "Add node.k8s.io/v1 RuntimeClass to the policy's contextAwareResources.",
                    Access::Capability => "Use a ClusterAdmissionPolicy, or set matchHandlers to false.",
                })
            }
            Self::Unreadable { class, told } => write!(f, "RuntimeClass '{}' can't be read: {told}", name(class)),
            Self::NoSuchFallback(fallback) => {
                write!(f, "fallbackRuntime '{fallback}' is not a RuntimeClass of this cluster")
            }
            Self::FallbackNotPermitted(Violation { class, fault, handler: Some(handler) }) => {
                write!(f, "fallbackRuntime '{class}' runs on '{}', which is {fault}", name(handler))
            }
            Self::FallbackNotPermitted(Violation { class, fault, handler: None }) => write!(
                f,
                "fallbackRuntime '{class}' is {fault} by name, and its handler is unknown because the policy has no \
                 access to RuntimeClasses"
            ),
        }
    }
}
