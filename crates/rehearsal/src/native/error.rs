//! What the native engine can't express, and what there is to know of what it does.
use std::fmt;

use super::{
    Classes, Kubernetes, Options,
    scope::Scope,
    settings::{Restriction, Settings},
    validating::RESERVED_NAMES,
};
use crate::{
    policy::{Mode, Policy},
    selector::Selector,
};

/// Why a policy can't be rendered. Displayed with the field or the option, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub enum NotExpressible {
    /// The rules select no workloads.
    NoWorkloads,
    NothingToReject,
    /// `matchHandlers` without access to RuntimeClasses.
    NoAccess,
    /// A fallback, but `mutating: false`.
    NotMutating,
    NoFallback,
    /// A version of Kubernetes that has no policies of this kind.
    TooOld {
        minor: u32,
        needed: u32,
        what: &'static str,
    },
    LockOfLive,
    LockWithoutHandlers,
    /// The rules select templates already.
    TemplatesTwice,
    TemplatesOfLive,
    /// An objectSelector is for the labels of Pods.
    TemplatesByLabel,
    /// A match condition that is about the request for a Pod.
    TemplateCondition(String),
    ReservedName(String),
    LineBreakInMessage,
    TooLong {
        name: String,
        characters: usize,
    },
}

/// The version that has ValidatingAdmissionPolicy v1.
const VALIDATING: Kubernetes = Kubernetes(30);

/// The version that has MutatingAdmissionPolicy v1beta1.
const MUTATING: Kubernetes = Kubernetes(34);

/// What `options` can't be done with a policy for.
pub fn of_options(policy: &Policy, settings: &Settings, scope: &Scope, options: &Options) -> Vec<NotExpressible> {
    use NotExpressible::*;
    let Options { classes, lock, mutate, kubernetes, .. } = options;
    let is_live = matches!(classes, Classes::Live);
    let matches_handlers = settings.matches_handlers(policy);
    let conditions = || scope.match_conditions.iter();
    // The namespace of a template is that of its Pods.
    let is_about_request = |expression: &str| {
        let expression = expression.replace("request.namespace", "");
        ["request", "oldObject", "authorizer"].iter().any(|name| mentions(&expression, name))
    };
    let too_old = |needed: Kubernetes, what| TooOld { minor: kubernetes.0, needed: needed.0, what };
    let errors = [
        (settings.match_handlers == Some(true) && !policy.reads_classes()).then_some(NoAccess),
        (!policy.mutates() && settings.fallback.is_some()).then_some(NotMutating),
        (*mutate && settings.fallback.is_none()).then_some(NoFallback),
        (*kubernetes < VALIDATING).then(|| too_old(VALIDATING, "ValidatingAdmissionPolicy")),
        (*mutate && *kubernetes < MUTATING && *kubernetes >= VALIDATING)
            .then(|| too_old(MUTATING, "MutatingAdmissionPolicy")),
        (*lock && is_live).then_some(LockOfLive),
        (*lock && !matches_handlers).then_some(LockWithoutHandlers),
        (!scope.templates.is_empty() && is_live && matches_handlers).then_some(TemplatesOfLive),
        (scope.adds_templates && scope.object_selector != Selector::default()).then_some(TemplatesByLabel),
        scope.message.as_ref().filter(|message| message.contains('\n')).map(|_| LineBreakInMessage),
    ];
    let about_request = conditions()
        .filter(|condition| scope.adds_templates && is_about_request(&condition.expression))
        .map(|condition| TemplateCondition(condition.name.clone()));
    let reserved = conditions().filter(|condition| RESERVED_NAMES.contains(&condition.name.as_str()));
    let reserved = reserved.map(|condition| ReservedName(condition.name.clone()));
    errors.into_iter().flatten().chain(about_request).chain(reserved).collect()
}

/// Whether an expression uses the variable `name`.
fn mentions(expression: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    expression.match_indices(name).any(|(at, _)| {
        let (before, after) = (&expression[..at], &expression[at + name.len()..]);
        !before.ends_with(|letter| is_part(letter) || letter == '.') && !after.starts_with(is_part)
    })
}

impl fmt::Display for NotExpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkloads => f.write_str("spec.rules: they select the creation of no Pods and no templates"),
            Self::NothingToReject => f.write_str("settings: they reject nothing"),
            Self::NoAccess => f.write_str(
                "settings.matchHandlers: it is true, but spec.contextAwareResources has no node.k8s.io/v1 RuntimeClass: \
                 the policy rejects every workload for which it has to read one",
            ),
            Self::NotMutating => f.write_str(
                "spec.mutating: it is false, but the settings have a fallbackRuntime: the policy rejects every Pod that \
                 it would give the fallback. Remove the fallbackRuntime",
            ),
            Self::NoFallback => f.write_str("--mutate: the settings have no fallbackRuntime"),
            Self::TooOld { minor, needed, what } => {
                write!(f, "--kubernetes 1.{minor}: {what} needs Kubernetes 1.{needed}")
            }
            Self::LockOfLive => f.write_str("--lock: it keeps a list of classes true, and --classes live has none"),
            Self::LockWithoutHandlers => f.write_str("--lock: the policy does not match the handlers of classes"),
            Self::TemplatesTwice => f.write_str("--templates: spec.rules selects templates already"),
            Self::TemplatesOfLive => f.write_str(
                "--classes live: a template that names a class that does not exist can't be rejected. Use --classes FILE",
            ),
            Self::TemplatesByLabel => f.write_str(
                "--templates: spec.objectSelector selects Pods by their labels, which a Deployment need not have itself",
            ),
            Self::TemplateCondition(name) => {
                write!(f, "--templates: matchCondition '{name}' is about the request for a Pod, not for a template")
            }
            Self::ReservedName(name) => write!(f, "spec.matchConditions: rename '{name}', which has another meaning here"),
            Self::LineBreakInMessage => f.write_str("spec.message: the API server takes no line break in a message"),
            Self::TooLong { name, characters } => write!(
                f,
                "{name}: an expression has {characters} characters, and the API server takes 100,000. Use fewer classes \
                 or entries"
            ),
        }
    }
}

/// What to know about the native policies.
pub fn notes(policy: &Policy, settings: &Settings, scope: &Scope, options: &Options) -> Vec<String> {
    let matches_handlers = settings.matches_handlers(policy);
    let manifest = policy.manifest.as_ref();
    let ignores_labels = manifest.is_some_and(|manifest| manifest.ignores_match_labels);
    let source = match policy.name() {
        Some(name) => format!("the policy {name}"),
        None => "settings alone, for all namespaces but kube-system".to_owned(),
    };
    let source = format!("Rendered by kubectl runtime-class native from {source}.");
    let notes = [
        Some(source.as_str()),
        scope.leaves_out.then_some("The policy accepts all else that its rules select: there are no rules for that here."),
        ignores_labels.then_some("Kubewarden ignores namespaceSelector.matchLabels: they are not here."),
        (!matches_handlers && !matches!(settings.restriction, Restriction::None))
            .then_some("The policy compares names alone, and so do these: a class may run on any handler."),
        match &options.classes {
            Classes::Baked(_) if matches_handlers => {
                Some("They have the RuntimeClasses of the cluster in them: render them again when these change.")
            }
            Classes::Live if matches_handlers => Some(
                "They are evaluated once for each RuntimeClass: 5 classes leave 0.6 of the Pods per second, and 200 leave \
                 0.07. They may miss a class that was created in the same instant.",
            ),
            _ => None,
        },
        options.mutate.then_some(
            "reinvocationPolicy is Never: after IfNeeded, a Pod can lack the nodeSelector of its new class. A mutation by \
             others after this one is for the guard to reject.",
        ),
        (options.mutate && scope.mode == Mode::Monitor)
            .then_some("mode: monitor mutates nothing: the MutatingAdmissionPolicy has no binding."),
    ];
    notes.into_iter().flatten().map(str::to_owned).collect()
}
