//! The rehearsal as a [waPC](https://wapc.io/docs/spec/) guest. Its host calls it, and it calls its host:
//!
//! | operation | payload | answer |
//! |---|---|---|
//! | `policies` | policies or settings, as text | what there is to know of each |
//! | `review` | `ReviewRequest` | what comes of single objects |
//! | `rehearse` | `RehearseRequest` | the report, and its title and sections for people |
//! | `change` | a place in the report | the object at this place, reviewed |
//! | `native` | policies, and the cluster's RuntimeClasses | native policies in YAML; only with CEL, in the large build |
//!
//! | host call | payload | answer |
//! |---|---|---|
//! | `input/read` | the number of a source, an offset, a length | bytes; none at the end |
//! | `policy/classes` | the RuntimeClasses that the policy may read from now on, or `null`: it may read none | nothing |
//! | `policy/validate` | the payload of `validate` | the module's answer in a fresh instance |
mod host;
mod input;
#[cfg(feature = "cel")]
mod native;

use std::{cell::RefCell, io::BufReader, sync::Arc};

use rehearsal::{
    Cluster, Judge, Policies, Policy, Report, Tally, Unreadable, layout,
    policy::Manifest,
    read::{self, Found, Place},
    review::{Details, Input, Reviews, read_cluster},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wapc_guest::{CallResult, register_function};

use crate::{host::Module, input::Source};

/// Bytes that are asked for at once.
const CHUNK: usize = 256 << 10;

#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("policies", policies);
    register_function("review", review);
    register_function("rehearse", rehearse);
    register_function("change", change);
    #[cfg(feature = "cel")]
    register_function("native", native::native);
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PoliciesAnswer<'a> {
    policies: Vec<Known<'a>>,
    /// Whether only the build with CEL can ask them.
    needs_cel: bool,
}

/// What the page shows of a policy, and asks its module.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Known<'a> {
    name: Option<&'a str>,
    /// The name of its webhook.
    id: Option<String>,
    settings: &'a Value,
    reads_classes: bool,
}

fn policies(payload: &[u8]) -> CallResult {
    let policies = policies_in(&serde_json::from_slice::<String>(payload)?)?;
    let known = policies.iter().map(|asked| &asked.policy).map(|policy| Known {
        name: policy.name(),
        id: policy.manifest.as_ref().map(|manifest| manifest.id()),
        settings: &policy.settings,
        reads_classes: policy.reads_classes(),
    });
    Ok(serde_json::to_vec(&PoliciesAnswer { policies: known.collect(), needs_cel: needs_cel(&policies) })?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReviewRequest {
    policies: String,
    /// RuntimeClasses, and what else is known of the cluster.
    cluster: String,
    namespace: String,
    #[serde(flatten)]
    input: Input,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewAnswer {
    #[serde(flatten)]
    reviews: Reviews,
    runtime_classes: Vec<String>,
    unreadable_cluster: Vec<Unreadable>,
}

fn review(payload: &[u8]) -> CallResult {
    let ReviewRequest { policies, cluster, namespace, input } = serde_json::from_slice(payload)?;
    let policies = asked(&policies)?;
    let (cluster, unreadable_cluster) = read_cluster(&cluster);
    let module = Module::in_cluster(&cluster);
    let judge = Judge { policies: &policies, cluster: &cluster, host: &module, namespace: &namespace };
    let reviews = Reviews::new(&judge, &input);
    let runtime_classes = cluster.runtime_classes.into_keys().collect();
    Ok(serde_json::to_vec(&ReviewAnswer { reviews, runtime_classes, unreadable_cluster })?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RehearseRequest {
    policies: String,
    /// The names of the sources, in the order of their numbers.
    sources: Vec<Arc<str>>,
    /// The names of sources with all RuntimeClasses of the cluster. They are numbered after the others.
    #[serde(default)]
    runtime_classes: Vec<Arc<str>>,
    namespace: String,
}

#[derive(Serialize)]
struct RehearseAnswer<'a> {
    report: &'a Report,
    title: String,
    sections: Vec<layout::Section>,
}

/// A rehearsal whose report is shown.
struct Rehearsed {
    policies: Policies,
    cluster: Cluster,
    sources: Vec<Arc<str>>,
    namespace: String,
}

thread_local! {
    static REHEARSED: RefCell<Option<Rehearsed>> = const { RefCell::new(None) };
}

fn rehearse(payload: &[u8]) -> CallResult {
    let RehearseRequest { policies, sources, runtime_classes, namespace } = serde_json::from_slice(payload)?;
    let policies = asked(&policies)?;
    let mut cluster = Cluster::default();
    cluster.knows_classes = !runtime_classes.is_empty();
    let files = sources.iter().chain(&runtime_classes).enumerate();
    let (input, classes): (Vec<_>, Vec<_>) = files.partition(|(number, _)| *number < sources.len());
    for (number, file) in classes.into_iter().chain(input) {
        read_source(number, file, &mut |found| cluster.learn(&found));
    }
    let rehearsed = Rehearsed { policies, cluster, sources, namespace };
    let module = Module::in_cluster(&rehearsed.cluster);
    let judge = rehearsed.judge(&module);
    let mut tally = Tally::default();
    for (number, file) in rehearsed.sources.iter().enumerate() {
        read_source(number, file, &mut |found| judge.judge(found, &mut tally));
    }
    let report = Report::new(&judge, tally);
    let sections = layout::sections(&report).collect();
    let answer = RehearseAnswer { title: layout::title(&report), sections, report: &report };
    let answer = serde_json::to_vec(&answer)?;
    REHEARSED.set(Some(rehearsed));
    Ok(answer)
}

fn change(payload: &[u8]) -> CallResult {
    let place: Value = serde_json::from_slice(payload)?;
    let is_wanted = |found: &Place| place["line"] == found.line && json!(found) == place;
    REHEARSED.with_borrow(|rehearsed| {
        let rehearsed = rehearsed.as_ref().ok_or("nothing was rehearsed")?;
        let mut sources = rehearsed.sources.iter().enumerate();
        let (number, file) = sources.find(|(_, file)| place["file"] == ***file).ok_or("no such source")?;
        let module = Module::in_cluster(&rehearsed.cluster);
        let judge = rehearsed.judge(&module);
        let mut review = None;
        read_source(number, file, &mut |found| {
            if matches!(&found, Found::Object(document) if is_wanted(&document.place)) {
                review = judge.review(found, &Details::default(), &[], &mut Tally::default()).ok();
            }
        });
        Ok(serde_json::to_vec(&review)?)
    })
}

impl Rehearsed {
    fn judge<'a>(&'a self, module: &'a Module) -> Judge<'a> {
        Judge { policies: &self.policies, cluster: &self.cluster, host: module, namespace: &self.namespace }
    }
}

fn read_source(number: usize, file: &Arc<str>, found: &mut dyn FnMut(Found)) {
    read::read(BufReader::with_capacity(CHUNK, Source::of(number)), file, found);
}

/// The policies of a text; settings alone are one as well.
fn policies_in(text: &str) -> Result<Policies, String> {
    let documents = read::documents(text.as_bytes(), "settings")?;
    if documents.iter().any(is_manifest) {
        return Policies::of_objects(&documents);
    }
    match documents.as_slice() {
        [] => Ok(Policies::of_settings(Value::Null)),
        [settings] => Ok(Policies::of_settings(settings.clone())),
        _ => Err("several documents, and none of them is a policy".to_owned()),
    }
}

fn is_manifest(document: &Value) -> bool {
    Policy::is_manifest(document) || document["kind"] == "ValidatingAdmissionPolicyBinding"
}

/// Policies that this build can ask. It does not pass over what it can't evaluate.
fn asked(text: &str) -> Result<Policies, String> {
    let policies = policies_in(text)?;
    if !cfg!(feature = "cel") && needs_cel(&policies) {
        return Err("the policies have expressions in CEL, and this build has no CEL".to_owned());
    }
    Ok(policies)
}

fn needs_cel(policies: &Policies) -> bool {
    let has_conditions = |manifest: &Manifest| !manifest.match_conditions.is_empty();
    let mut manifests = policies.iter().filter_map(|asked| asked.policy.manifest.as_ref());
    !policies.guards.is_empty() || manifests.any(has_conditions)
}
