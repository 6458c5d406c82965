//! The native engine: the policy as
//! [ValidatingAdmissionPolicy](https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/) and
//! [MutatingAdmissionPolicy](https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/), which
//! the API server evaluates itself.
//!
//! ```text
//! policy ─┬ settings ─┬► decision (the table, in CEL) ─┬► guard, templates, lock: validating
//!         │   classes ┘                                └► mutation: mutating
//!         └ manifest ──► scope (which requests) ────────► all of them
//! ```
mod cel;
mod classes;
mod decision;
mod error;
mod mutating;
mod objects;
mod scope;
mod settings;
mod templates;
mod validating;
mod yaml;

use serde_json::Value;

pub use self::{classes::Class, error::NotExpressible};
use self::{
    classes::by_name,
    decision::{Decision, Handlers},
    objects::Objects,
    scope::Scope,
    settings::Settings,
};
use crate::policy::Policy;

/// How to render a policy.
#[derive(Clone, Debug)]
pub struct Options {
    pub classes: Classes,
    /// Whether to add the policy that keeps the names of RuntimeClasses true.
    pub lock: bool,
    /// Whether to add the policy that mutates Pods.
    pub mutate: bool,
    /// Whether to add policies that warn of templates, or reject them.
    pub templates: bool,
    pub kubernetes: Kubernetes,
}

/// How the native policies know the handler of a RuntimeClass.
#[derive(Clone, Debug)]
pub enum Classes {
    /// These, as of when the policies are rendered.
    Baked(Vec<Class>),
    /// Those of the cluster, as parameters of the policies.
    Live,
}

/// The version of Kubernetes to render for: its minor version.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Kubernetes(pub u32);

/// Native policies, to apply to a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    pub objects: Vec<Value>,
    /// What to know about them, a sentence each.
    pub notes: Vec<String>,
}

impl Rendered {
    /// The objects in YAML, below the notes.
    ///
    /// # Errors
    /// There are none for objects of JSON.
    pub fn to_yaml(&self) -> Result<String, serde_yaml_ng::Error> {
        yaml::text(&self.notes, &self.objects)
    }
}

impl Options {
    /// A guard alone, for the newest Kubernetes.
    pub fn new(classes: Classes) -> Self {
        Self { classes, lock: false, mutate: false, templates: false, kubernetes: Kubernetes::NEWEST }
    }
}

impl Kubernetes {
    pub const NEWEST: Self = Self(36);

    /// The version that is written like this: `1.36`.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let minor = text.trim_start_matches('v').strip_prefix("1.").and_then(|rest| rest.split('.').next());
        minor
            .and_then(|minor| minor.parse().ok())
            .map(Self)
            .ok_or_else(|| format!("'{text}' is no version, such as 1.36"))
    }
}

/// Whether a policy is rendered with RuntimeClasses: otherwise their names are enough.
pub fn needs_classes(policy: &Policy) -> bool {
    Settings::of(&policy.settings).matches_handlers(policy)
}

/// Renders a policy, whose settings are valid.
///
/// # Errors
/// The native engine can't express what the policy does, or can't do what the options ask for. There is an error for
/// each cause.
pub fn render(policy: &Policy, options: &Options) -> Result<Rendered, Vec<NotExpressible>> {
    let settings = Settings::of(&policy.settings);
    let scope = Scope::of(policy, options.templates)?;
    let errors = error::of_options(policy, &settings, &scope, options);
    if !errors.is_empty() {
        return Err(errors);
    }
    let classes = by_name(&options.classes);
    let handlers = match &options.classes {
        _ if !settings.matches_handlers(policy) => Handlers::Unknown,
        Classes::Live => Handlers::OfParameter,
        Classes::Baked(_) => Handlers::Baked(&classes),
    };
    let decision = Decision { restriction: &settings.restriction, handlers };
    let mut objects = Objects::new(&scope);

    validating::guard(&mut objects, &decision, settings.default_reserved);
    templates::guard(&mut objects, &decision, &settings);
    if options.lock {
        validating::lock(&mut objects, &decision);
    }
    if let Some(fallback) = settings.fallback.as_ref().filter(|_| options.mutate) {
        mutating::mutation(&mut objects, &decision, fallback, options.kubernetes);
    }
    objects.finish(error::notes(policy, &settings, &scope, options))
}

#[cfg(test)]
mod tests;
