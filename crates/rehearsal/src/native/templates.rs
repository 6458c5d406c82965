//! The policies on templates: what the policy says of an object whose Pods it would reject or mutate.
use super::{
    cel,
    decision::{Decision, Outcomes, RUNTIME},
    objects::{Action, Head, Objects},
    scope::Subject,
    settings::Settings,
    validating::{condition, handlers},
};
use crate::policy::MatchCondition;

/// Adds the policy that rejects templates, and the one that warns of those whose Pods get the fallback.
pub fn guard(objects: &mut Objects, decision: &Decision, settings: &Settings) {
    let scope = objects.scope;
    if scope.templates.is_empty() {
        return;
    }
    let judges_updates = scope.judges_updates(Subject::Templates);
    let mut words = decision.words(settings.default_reserved && settings.fallback.is_none());
    let moves_named = settings.fallback.as_ref().filter(|fallback| fallback.is_for_all);
    if moves_named.is_some() {
        words = words.without_violations();
    }
    if let Some(rejection) = decision.choose(&words, judges_updates) {
        let head = of_templates(objects, "templates", decision);
        objects.push_validation(head, Action::Reject, "rejection", rejection);
    }
    let warning = moves_named.and_then(|fallback| decision.choose(&warnings(&fallback.class), judges_updates));
    if let Some(warning) = warning {
        let head = of_templates(objects, "template-warnings", decision);
        objects.push_validation(head, Action::Warn, "warning", warning);
    }
}

/// What the policy says of templates whose Pods get the fallback.
fn warnings(fallback: &str) -> Outcomes {
    let end = cel::string(&format!(" will run with '{fallback}'"));
    let violation = |fault: &str| {
        format!(r#""runtime '" + {RUNTIME} + "' is {fault}: the Pods of this " + request.kind.kind + {end}"#)
    };
    let nothing = cel::string("");
    Outcomes {
        default: nothing.clone(),
        reserved: violation("reserved"),
        reserved_handler: violation("reserved"),
        not_allowed: violation("not allowed"),
        unknown: nothing.clone(),
        accepted: nothing,
    }
}

fn of_templates<'a>(objects: &Objects, suffix: &'a str, decision: &Decision) -> Head<'a> {
    let scope = objects.scope;
    let mut variables =
        vec![("template", scope.template("object")), ("runtime", cel::class_of("variables.template.spec"))];
    if scope.judges_updates(Subject::Templates) {
        variables.push(("oldTemplate", scope.template("oldObject")));
        variables.push(("oldRuntime", cel::class_of("variables.oldTemplate.spec")));
    }
    variables.extend(handlers(decision));
    // A condition on Pods is about the Pod that the template makes.
    let of_template = |MatchCondition { name, expression }: &MatchCondition| {
        condition(name, format!("[{}].all(object, {expression})", scope.template("object")))
    };
    let conditions = scope.match_conditions.iter();
    Head {
        suffix,
        match_constraints: objects.match_constraints(Subject::Templates),
        match_conditions: if scope.adds_templates {
            conditions.map(of_template).collect()
        } else {
            conditions.cloned().collect()
        },
        variables,
        has_params: false,
    }
}
