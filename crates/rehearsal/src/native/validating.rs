//! The policies that reject: Pods, and RuntimeClasses that would make the names of Pods' classes untrue.
use super::{
    cel,
    decision::{Decision, Handlers},
    objects::{Action, Head, Objects, match_constraints},
    scope::Subject,
    settings::Restriction,
};
use crate::policy::{MatchCondition, Rule};

/// A kubelet reports a static Pod that it runs already.
const NOT_A_MIRROR_POD: (&str, &str) = (
    "not-a-mirror-pod",
    r#"!(has(object.metadata.annotations)
  && "kubernetes.io/config.mirror" in object.metadata.annotations
  && "system:nodes" in request.userInfo.groups)"#,
);

const NAMES_THE_CLASS: (&str, &str) =
    ("names-the-class", "has(object.spec.runtimeClassName) && object.spec.runtimeClassName == params.metadata.name");

/// The names of conditions that no manifest may have.
pub const RESERVED_NAMES: [&str; 2] = [NOT_A_MIRROR_POD.0, NAMES_THE_CLASS.0];

/// Adds the policy that rejects the Pods that the policy would reject or mutate.
///
/// With classes as parameters there are two, as one that has parameters is not evaluated in a cluster without classes.
pub fn guard(objects: &mut Objects, decision: &Decision, is_default_reserved: bool) {
    if objects.scope.pods.is_empty() {
        return;
    }
    if let Handlers::OfParameter = decision.handlers {
        push_guard(objects, "guard", &decision.by_name(), is_default_reserved);
        push_guard(objects, "guard-handlers", decision, false);
    } else {
        push_guard(objects, "guard", decision, is_default_reserved);
    }
}

fn push_guard(objects: &mut Objects, suffix: &str, decision: &Decision, is_default_reserved: bool) {
    let words = decision.words(is_default_reserved);
    if let Some(rejection) = decision.choose(&words, objects.scope.judges_updates(Subject::Pods)) {
        objects.push_validation(of_pods(objects, suffix, decision), Action::Reject, "rejection", rejection);
    }
}

/// A policy on Pods.
pub fn of_pods<'a>(objects: &Objects, suffix: &'a str, decision: &Decision) -> Head<'a> {
    let scope = objects.scope;
    let has_params = matches!(decision.handlers, Handlers::OfParameter);
    let mut variables = vec![("runtime", cel::class_of("object.spec"))];
    if scope.judges_updates(Subject::Pods) {
        variables.push(("oldRuntime", cel::class_of("oldObject.spec")));
    }
    variables.extend(handlers(decision));
    let own = [Some(NOT_A_MIRROR_POD), has_params.then_some(NAMES_THE_CLASS)];
    let own = own.into_iter().flatten().map(|(name, expression)| condition(name, expression.to_owned()));
    Head {
        suffix,
        match_constraints: objects.match_constraints(Subject::Pods),
        match_conditions: own.chain(scope.match_conditions.iter().cloned()).collect(),
        variables,
        has_params,
    }
}

pub fn condition(name: &str, expression: String) -> MatchCondition {
    MatchCondition { name: name.to_owned(), expression }
}

/// The variable with the handlers that are baked in.
pub fn handlers(decision: &Decision) -> Option<(&'static str, String)> {
    let Handlers::Baked(classes) = decision.handlers else { return None };
    let handlers = classes.iter().map(|(name, class)| (*name, class.handler()));
    Some(("handlers", cel::map(handlers)))
}

/// Adds the policy that keeps the names of RuntimeClasses true: none of a handler that is refused is created under a name
/// that Pods may use. The handler of a RuntimeClass is immutable.
pub fn lock(objects: &mut Objects, decision: &Decision) {
    let (name, handler) = ("object.metadata.name", "object.handler");
    let known = format!("variables.handlers[{name}]");
    let (is_refused, passes) = match decision.restriction {
        Restriction::None => return,
        Restriction::Reserved(reserved) => (
            format!("{handler}.matches({reserved})"),
            format!("!{name}.matches({reserved}) && {name} in variables.handlers && !{known}.matches({reserved})"),
        ),
        Restriction::Allowed(allowed) => (
            format!("!{handler}.matches({allowed})"),
            format!(
                "({name}.matches({allowed}) || {name} in variables.handlers && {known}.matches({allowed}))\n  \
                 && !({name} in variables.handlers && {known} == {handler})"
            ),
        ),
    };
    let fault = format!(
        r#""RuntimeClass '" + {name} + "' may not run on '" + {handler} + "': Pods may use this name. Use another one, or render the policy with this class""#
    );
    let rejection = cel::choice(&[(format!("{is_refused}\n  && {passes}"), fault)], "\"\"").unwrap_or_default();
    let texts = |text: &str| vec![text.to_owned()];
    let rule = Rule {
        api_groups: texts("node.k8s.io"),
        api_versions: texts("v1"),
        resources: texts("runtimeclasses"),
        operations: texts("CREATE"),
        scope: None,
    };
    let head = Head {
        suffix: "lock",
        match_constraints: match_constraints(&[rule]),
        match_conditions: vec![],
        variables: handlers(decision).into_iter().collect(),
        has_params: false,
    };
    objects.push_validation(head, Action::Reject, "rejection", rejection);
}
