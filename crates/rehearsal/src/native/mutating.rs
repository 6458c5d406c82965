//! The policies that mutate Pods.
use super::{
    Kubernetes, cel,
    classes::{Class, MEANING},
    decision::{Decision, Handlers, Outcomes},
    objects::Objects,
    scope::Subject,
    settings::{Fallback, Restriction},
    validating::of_pods,
};

/// The nodeSelector and what the tolerations mean, of the RuntimeClass that is the parameter.
const NODE_SELECTOR_OF_PARAMETER: &str =
    "has(params.scheduling) && has(params.scheduling.nodeSelector) ? params.scheduling.nodeSelector : {}";

/// Removes the pairs of the variable `nodeSelector`.
const REMOVE_PAIRS: &str = r#"(has(object.spec.nodeSelector)
    ? variables.nodeSelector
      .filter(key, key in object.spec.nodeSelector && object.spec.nodeSelector[key] == variables.nodeSelector[key])
      .map(key, JSONPatch{op: "remove", path: "/spec/nodeSelector/" + jsonpatch.escapeKey(key)})
    : [])"#;

/// Adds the policy that gives Pods the fallback, as the module does: it removes the overhead and the scheduling of the
/// class that a Pod names.
///
/// With classes as parameters there are two, as one that has parameters is not evaluated in a cluster without classes.
pub fn mutation(objects: &mut Objects, decision: &Decision, fallback: &Fallback, kubernetes: Kubernetes) {
    if objects.scope.pods.is_empty() {
        return;
    }
    let version = if kubernetes < Kubernetes(36) { "v1beta1" } else { "v1" };
    let of_no_class = Decision { restriction: &Restriction::None, handlers: Handlers::Unknown };
    let mut push = |suffix, decision, outcomes| push(objects, version, suffix, decision, &fallback.class, &outcomes);
    match decision.handlers {
        _ if !fallback.is_for_all => push("mutation", &of_no_class, Outcomes::is_moved(true, false)),
        Handlers::OfParameter => {
            push("mutation", &of_no_class, Outcomes::is_moved(true, false));
            push("mutation-handlers", decision, Outcomes::is_moved(false, true));
        }
        Handlers::Unknown | Handlers::Baked(_) => push("mutation", decision, Outcomes::is_moved(true, true)),
    }
}

fn push(objects: &mut Objects, version: &str, suffix: &str, decision: &Decision, fallback: &str, outcomes: &Outcomes) {
    let Some(is_moved) = decision.choose(outcomes, objects.scope.judges_updates(Subject::Pods)) else { return };
    let mut head = of_pods(objects, suffix, decision);
    head.variables.push(("isMoved", is_moved));
    let mut operations = vec![
        format!(r#"[JSONPatch{{op: "add", path: "/spec/runtimeClassName", value: {}}}]"#, cel::string(fallback)),
        r#"(has(object.spec.overhead) ? [JSONPatch{op: "remove", path: "/spec/overhead"}] : [])"#.to_owned(),
    ];
    let of_parameter = NODE_SELECTOR_OF_PARAMETER.to_owned();
    let variables = scheduling(decision, ["nodeSelectors", "nodeSelector", "{}"], Class::node_selector, of_parameter);
    if !variables.is_empty() {
        head.variables.extend(variables);
        operations.push(REMOVE_PAIRS.to_owned());
    }
    let variables =
        scheduling(decision, ["tolerationLists", "tolerations", "[]"], Class::tolerations, tolerations_of_parameter());
    if !variables.is_empty() {
        head.variables.extend(variables);
        operations.push(remove_tolerations());
    }
    let patch = format!("variables.isMoved ? {}\n: []", operations.join("\n  + "));
    objects.push_mutation(version, &head, &patch);
}

/// The variables with what the scheduling of the class that the Pod names has; none if no class has it.
fn scheduling<'a>(
    decision: &Decision,
    [of_classes, of_class, nothing]: [&'a str; 3],
    read: fn(&Class) -> Option<String>,
    of_parameter: String,
) -> Vec<(&'a str, String)> {
    match decision.handlers {
        Handlers::Unknown => vec![],
        Handlers::OfParameter => vec![(of_class, of_parameter)],
        Handlers::Baked(classes) => {
            let known: Vec<_> = classes.iter().filter_map(|(name, class)| Some((*name, read(class)?))).collect();
            if known.is_empty() {
                return vec![];
            }
            let all = format!("variables.{of_classes}");
            let own = format!("variables.runtime in {all} ? {all}[variables.runtime] : {nothing}");
            vec![(of_classes, cel::map(known.into_iter())), (of_class, own)]
        }
    }
}

fn tolerations_of_parameter() -> String {
    let tolerations = "params.scheduling.tolerations";
    format!("has(params.scheduling) && has({tolerations}) ? {tolerations}.map(toleration, {MEANING}) : []")
}

/// Removes the tolerations of the variable `tolerations`.
fn remove_tolerations() -> String {
    let kept = format!("object.spec.tolerations.filter(toleration, !({MEANING} in variables.tolerations))");
    let kept = kept.replace('\n', "\n      ");
    format!(
        "(has(object.spec.tolerations) && size(variables.tolerations) > 0\n    \
         ? [JSONPatch{{op: \"replace\", path: \"/spec/tolerations\", value: {kept}}}]\n    : [])"
    )
}
