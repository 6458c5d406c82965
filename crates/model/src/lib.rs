//! A naive model of the policy: the rules of the README, written a second time in the plainest way.
//!
//! The tests and the fuzzer compare the module's answers with it. It shares no code with the policy,
//! parses everything into a [`Value`], looks nothing up twice, and never cares what that costs.
mod cluster;
mod matcher;
mod mutation;
mod request;
mod settings;
mod space;
mod words;

pub use cluster::{Access, Cluster, class_asked_for};
pub use matcher::matches;
pub use mutation::{mutate, repeats_a_toleration};
pub use request::{Subject, Workload, subject};
pub use settings::{Settings, faults, is_name};
pub use space::{POINTS, Setup, requests, setups};

use cluster::{Asked, Lookups};
use serde_json::{Value, json};
use words::shown;

/// The answer that the policy has to give, and the RuntimeClasses that it has to ask for, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    pub answer: Answer,
    pub calls: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// This one, to the last field.
    Exactly(Value),
    /// Code 400, with a message that starts with the path of a field.
    Unreadable,
    /// Code 500, with a message about one of these faults of the settings.
    InvalidSettings(Vec<String>),
}

impl Prediction {
    /// What becomes of the request.
    pub fn outcome(&self) -> &'static str {
        match &self.answer {
            Answer::Unreadable => "unreadable",
            Answer::InvalidSettings(_) => "invalid settings",
            Answer::Exactly(answer) if answer.get("mutated_object").is_some() => "mutated",
            Answer::Exactly(answer) if answer.get("warnings").is_some() => "accepted with a warning",
            Answer::Exactly(answer) if answer["accepted"] == true => "accepted",
            Answer::Exactly(answer) if answer.get("code").is_some() => "failed",
            Answer::Exactly(_) => "rejected",
        }
    }
}

/// Whether the answer is a decision: on a workload that is judged, by settings that are valid.
pub fn is_decided(request: &Value, settings: &Value) -> bool {
    faults(settings).is_empty() && matches!(subject(request), Subject::Judged(_))
}

/// Predicts the answer to a `validate` call.
pub fn predict(request: &Value, settings: &Value, cluster: &Cluster) -> Prediction {
    let faults = faults(settings);
    if !faults.is_empty() {
        return Prediction { answer: Answer::InvalidSettings(faults), calls: vec![] };
    }
    let mut lookups = Lookups::new(cluster);
    let answer = match subject(request) {
        Subject::Unreadable => Answer::Unreadable,
        Subject::NotJudged => Answer::Exactly(accepted()),
        Subject::Judged(workload) => judge(&workload, &Settings::of(settings), &mut lookups),
    };
    Prediction { answer, calls: lookups.calls }
}

/// Why a class is not for this workload.
#[derive(Clone, Debug, PartialEq)]
enum Violation {
    NameReserved,
    HandlerReserved(String),
    NotAllowed,
}

/// A mirror Pod is accepted. An accept depends on nothing that tells a mirror Pod.
fn judge(workload: &Workload, settings: &Settings, lookups: &mut Lookups) -> Answer {
    match (answer(workload, settings, lookups), workload.is_mirror) {
        (answer, _) if answer == Answer::Exactly(accepted()) => answer,
        (_, None) => Answer::Unreadable,
        (_, Some(true)) => Answer::Exactly(accepted()),
        (answer, Some(false)) => answer,
    }
}

fn answer(workload: &Workload, settings: &Settings, lookups: &mut Lookups) -> Answer {
    let requested = shown(workload.class.as_deref().unwrap_or("(default)"));
    match decide(workload, settings, lookups) {
        Ok(answer) => answer,
        Err(Refusal::Verdict(message)) => Answer::Exactly(json!({
            "accepted": false,
            "message": message,
            "audit_annotations": { "requested-runtime-class": requested },
        })),
        Err(Refusal::Failure(message)) => Answer::Exactly(json!({
            "accepted": false,
            "message": message,
            "code": 500,
            "audit_annotations": { "requested-runtime-class": requested },
        })),
    }
}

enum Refusal {
    Verdict(String),
    Failure(String),
}

fn decide(workload: &Workload, settings: &Settings, lookups: &mut Lookups) -> Result<Answer, Refusal> {
    let Some(class) = &workload.class else {
        let Some(fallback) = &settings.fallback else {
            return if settings.default_reserved {
                Err(Refusal::Verdict("Usage of the default runtime is reserved".into()))
            } else {
                Ok(Answer::Exactly(accepted()))
            };
        };
        if !workload.is_pod() {
            return Ok(Answer::Exactly(accepted()));
        }
        check_fallback(fallback, Asked::Nothing, settings, lookups)?;
        return mutated(workload, fallback, &Value::Null, None);
    };

    let mut asked = Asked::Nothing;
    let violation = if settings.is_settled_by_name(class) || settings.match_handlers == Some(false) {
        violation(settings, class, None)
    } else {
        asked = ask(class, settings, lookups)?;
        match &asked {
            Asked::Missing => {
                return Err(Refusal::Verdict(format!(
                    "runtime '{}' is not a RuntimeClass of this cluster",
                    shown(class)
                )));
            }
            Asked::Found { handler, .. } => violation(settings, class, Some(handler)),
            Asked::NotGranted | Asked::Nothing => violation(settings, class, None),
        }
    };
    let Some(violation) = violation else { return Ok(Answer::Exactly(accepted())) };
    let shown_class = shown(class);
    let adjective = if violation == Violation::NotAllowed { "not allowed" } else { "reserved" };

    let Some(fallback) = settings.fallback.as_ref().filter(|_| !settings.fallback_for_default_alone) else {
        return Err(Refusal::Verdict(match violation {
            Violation::HandlerReserved(handler) => {
                format!("runtime '{shown_class}' is reserved: it runs on '{}'", shown(&handler))
            }
            Violation::NameReserved | Violation::NotAllowed => format!("runtime '{shown_class}' is {adjective}"),
        }));
    };
    if !workload.is_pod() {
        let kind = &workload.kind;
        let warning =
            format!("runtime '{shown_class}' is {adjective}: the Pods of this {kind} will run with '{fallback}'");
        return Ok(Answer::Exactly(json!({ "accepted": true, "warnings": [warning] })));
    }

    if asked == Asked::Nothing {
        asked = ask(class, settings, lookups)?;
    }
    let scheduling = match &asked {
        Asked::Found { scheduling, .. } => scheduling.clone(),
        _ => Value::Null,
    };
    let known = if fallback == class || asked == Asked::NotGranted { asked } else { Asked::Nothing };
    check_fallback(fallback, known, settings, lookups)?;
    let warning = format!("runtime '{shown_class}' is {adjective}: this Pod will run with '{fallback}'");
    mutated(workload, fallback, &scheduling, Some(warning))
}

/// Asks the cluster for a class, unless the settings say never. What is no name is not asked for.
fn ask(class: &str, settings: &Settings, lookups: &mut Lookups) -> Result<Asked, Refusal> {
    if settings.match_handlers == Some(false) {
        return Ok(Asked::NotGranted);
    }
    if !is_name(class) {
        return Ok(Asked::Missing);
    }
    match lookups.get(class) {
        Ok(asked) => Ok(asked),
        Err(cluster::Error::NotGranted(_)) if settings.match_handlers.is_none() => Ok(Asked::NotGranted),
        Err(cluster::Error::NotGranted(error)) => {
            let advice = if error.contains("host capability") {
                "Use a ClusterAdmissionPolicy, or set matchHandlers to false."
            } else {
                "Add node.k8s.io/v1 RuntimeClass to the policy's contextAwareResources."
            };
            Err(Refusal::Failure(format!(
                "matchHandlers is true, but RuntimeClass '{}' can't be read: {error} {advice}",
                shown(class)
            )))
        }
        Err(cluster::Error::Failed(error)) => {
            Err(Refusal::Failure(format!("RuntimeClass '{}' can't be read: {error}", shown(class))))
        }
    }
}

/// Nobody gets a fallback that is missing, or that the lists are against.
fn check_fallback(fallback: &str, known: Asked, settings: &Settings, lookups: &mut Lookups) -> Result<(), Refusal> {
    let asked = if known == Asked::Nothing { ask(fallback, settings, lookups)? } else { known };
    let fault = match &asked {
        Asked::Missing => Some("is not a RuntimeClass of this cluster".to_owned()),
        Asked::Found { handler, .. } => match violation(settings, fallback, Some(handler)) {
            None => None,
            Some(Violation::NotAllowed) => Some(format!("runs on '{}', which is not allowed", shown(handler))),
            Some(_) => Some(format!("runs on '{}', which is reserved", shown(handler))),
        },
        Asked::NotGranted | Asked::Nothing => violation(settings, fallback, None).map(|_| {
            "is not allowed by name, and its handler is unknown because the policy has no access to RuntimeClasses"
                .to_owned()
        }),
    };
    match fault {
        Some(fault) => Err(Refusal::Failure(format!("fallbackRuntime '{fallback}' {fault}"))),
        None => Ok(()),
    }
}

fn violation(settings: &Settings, class: &str, handler: Option<&str>) -> Option<Violation> {
    let hit = |list: &[String], name: &str| list.iter().any(|entry| matches(entry, name));
    if hit(&settings.reserved, class) {
        return Some(Violation::NameReserved);
    }
    if let Some(handler) = handler
        && hit(&settings.reserved, handler)
    {
        return Some(Violation::HandlerReserved(handler.to_owned()));
    }
    if !settings.allowed.is_empty()
        && !hit(&settings.allowed, class)
        && !handler.is_some_and(|handler| hit(&settings.allowed, handler))
    {
        return Some(Violation::NotAllowed);
    }
    None
}

fn accepted() -> Value {
    json!({ "accepted": true })
}

fn mutated(
    workload: &Workload,
    fallback: &str,
    scheduling: &Value,
    warning: Option<String>,
) -> Result<Answer, Refusal> {
    let Some(object) = mutate(&workload.object, fallback, scheduling) else { return Ok(Answer::Unreadable) };
    let mut answer = json!({
        "accepted": true,
        "mutated_object": object,
        "audit_annotations": {
            "requested-runtime-class": shown(workload.class.as_deref().unwrap_or("(default)")),
            "enforced-runtime-class": fallback,
        },
    });
    if let Some(warning) = warning {
        answer["warnings"] = json!([warning]);
    }
    Ok(Answer::Exactly(answer))
}
