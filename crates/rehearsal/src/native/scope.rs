//! The requests that native policies are asked about: those that the policy is asked about, as far as it could do more
//! than accept them.
use super::error::NotExpressible;
use crate::{
    api_server::{KINDS, Kind},
    policy::{FailurePolicy, Manifest, MatchCondition, MatchPolicy, Mode, Policy, Rule},
    request::Resource,
    selector::Selector,
};

/// What a native policy judges.
#[derive(Clone, Copy, PartialEq)]
pub enum Subject {
    Pods,
    Templates,
}

/// The requests of a policy.
pub struct Scope {
    /// What the names of its native policies start with.
    pub name: String,
    pub pods: Vec<Rule>,
    pub templates: Vec<Rule>,
    /// Whether the policy itself is not asked about templates.
    pub adds_templates: bool,
    /// Whether there are requests that the policy is asked about and accepts, whatever they are.
    pub leaves_out: bool,
    /// The conditions on the objects that the policy is asked about.
    pub match_conditions: Vec<MatchCondition>,
    pub match_policy: MatchPolicy,
    pub namespace_selector: Selector,
    pub object_selector: Selector,
    pub failure_policy: FailurePolicy,
    pub mode: Mode,
    pub message: Option<String>,
}

/// The operations on which a policy can do more than accept.
const JUDGED: [&str; 2] = ["CREATE", "UPDATE"];

impl Scope {
    /// The requests of a policy, and those for templates if `adds_templates`.
    ///
    /// # Errors
    /// It is asked about no workloads, or about templates without these being added.
    pub fn of(policy: &Policy, adds_templates: bool) -> Result<Self, Vec<NotExpressible>> {
        let mut scope = policy.manifest.as_ref().map_or_else(Self::of_settings, Self::of_manifest);
        if adds_templates && !scope.templates.is_empty() {
            return Err(vec![NotExpressible::TemplatesTwice]);
        }
        if scope.pods.is_empty() && scope.templates.is_empty() {
            return Err(vec![NotExpressible::NoWorkloads]);
        }
        if adds_templates {
            scope.adds_templates = true;
            scope.templates = of_form(&everything(&JUDGED), Subject::Templates);
        }
        Ok(scope)
    }

    /// Settings alone are for all Pods but those of the cluster itself.
    fn of_settings() -> Self {
        let mut namespace_selector = Selector::default();
        namespace_selector.leave_out(&["kube-system"]);
        Self {
            name: "pod-runtime-class-native".to_owned(),
            pods: of_form(&everything(&["CREATE"]), Subject::Pods),
            templates: vec![],
            adds_templates: false,
            leaves_out: false,
            match_conditions: vec![],
            match_policy: MatchPolicy::default(),
            namespace_selector,
            object_selector: Selector::default(),
            failure_policy: FailurePolicy::default(),
            mode: Mode::default(),
            message: None,
        }
    }

    fn of_manifest(manifest: &Manifest) -> Self {
        let of_form = |form| manifest.rules.iter().flat_map(|rule| of_form(rule, form)).collect::<Vec<_>>();
        let (pods, templates) = (of_form(Subject::Pods), of_form(Subject::Templates));
        let id = if manifest.namespace.is_some() { manifest.id() } else { manifest.name.clone() };
        Self {
            name: format!("{id}-native"),
            adds_templates: false,
            leaves_out: manifest.rules.iter().any(|rule| !pods.contains(rule) && !templates.contains(rule)),
            pods,
            templates,
            match_conditions: manifest.match_conditions.clone(),
            match_policy: manifest.match_policy,
            namespace_selector: manifest.namespace_selector.clone(),
            object_selector: manifest.object_selector.clone(),
            failure_policy: manifest.failure_policy,
            mode: manifest.mode,
            message: manifest.message.clone(),
        }
    }

    pub fn rules(&self, subject: Subject) -> &[Rule] {
        match subject {
            Subject::Pods => &self.pods,
            Subject::Templates => &self.templates,
        }
    }

    pub fn judges_updates(&self, subject: Subject) -> bool {
        self.rules(subject).iter().any(|rule| rule.operations.iter().any(|operation| operation == "UPDATE"))
    }

    /// The template in `object` of the kind that is judged, in CEL.
    ///
    /// The API server checks expressions against the types of all kinds: `dyn` tells it not to.
    pub fn template(&self, object: &str) -> String {
        let is_judged = |kind: &&Kind| {
            self.templates.iter().any(|rule| rule.resources.iter().any(|resource| resource == kind.resource))
        };
        let kinds: Vec<_> = KINDS.iter().filter(is_judged).collect();
        let usual = kinds.iter().find(|kind| kind.template == "spec.template").or(kinds.last());
        let Some(usual) = usual else { return object.to_owned() };
        let path = |kind: &Kind| format!("dyn({object}).{}", kind.template);
        let others = kinds.iter().filter(|kind| kind.template != usual.template);
        let others = others.map(|kind| format!("request.kind.kind == \"{}\" ? {}\n: ", kind.name, path(kind)));
        others.collect::<String>() + &path(usual)
    }
}

/// A rule for all resources.
fn everything(operations: &[&str]) -> Rule {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Rule {
        api_groups: texts(&["*"]),
        api_versions: texts(&["v1"]),
        resources: texts(&["*"]),
        operations: texts(operations),
        scope: None,
    }
}

/// What a rule selects of Pods, or of templates: a rule for each group.
fn of_form(rule: &Rule, form: Subject) -> Vec<Rule> {
    let lists = |list: &[String], wanted: &str| list.iter().any(|entry| entry == "*" || entry == wanted);
    let operations: Vec<_> = JUDGED.into_iter().filter(|operation| lists(&rule.operations, operation)).collect();
    let of_group = |group: &&str| {
        let is_selected = |kind: &&Kind| {
            kind.group == *group
                && kind.is_pod() == (form == Subject::Pods)
                && rule.resources.iter().any(|entry| Resource::of(kind, "v1").is_matched_by(entry))
        };
        let resources: Vec<_> = KINDS.iter().filter(is_selected).map(|kind| kind.resource.to_owned()).collect();
        (lists(&rule.api_groups, group) && !resources.is_empty()).then(|| Rule {
            api_groups: vec![(*group).to_owned()],
            operations: operations.iter().map(|&operation| operation.to_owned()).collect(),
            resources,
            ..rule.clone()
        })
    };
    if operations.is_empty() || rule.scope.as_deref() == Some("Cluster") {
        return vec![];
    }
    ["", "apps", "batch"].iter().filter_map(of_group).collect()
}
