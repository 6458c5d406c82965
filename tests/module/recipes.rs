//! The recipes do what their comments say.
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

use crate::manifests::{Manifest, policies};

/// The policies of a recipe, in the order of its file.
#[track_caller]
fn recipe(name: &str) -> Vec<Manifest> {
    let source = format!("deploy/recipes/{name}");
    let policies: Vec<_> = policies().into_iter().filter(|policy| policy.source == source).collect();
    assert!(!policies.is_empty(), "{source}");
    policies
}

#[track_caller]
fn only(name: &str) -> Manifest {
    <[Manifest; 1]>::try_from(recipe(name)).map(|[policy]| policy).unwrap_or_else(|_| panic!("{name}: one policy"))
}

#[track_caller]
fn pair(name: &str) -> [Manifest; 2] {
    <[Manifest; 2]>::try_from(recipe(name)).unwrap_or_else(|_| panic!("{name}: two policies"))
}

/// What becomes of a Pod: the name of its new class, the message of its rejection, or nothing.
fn outcome(answer: &Value) -> Option<String> {
    let told = [&answer["mutated_object"]["spec"]["runtimeClassName"], &answer["message"]];
    told.into_iter().find_map(Value::as_str).map(str::to_owned)
}

/// A Pod whose container has these limits.
fn limited(limits: Value) -> Value {
    let mut pod = pod(json!({}));
    pod["spec"]["containers"][0]["resources"] = json!({ "limits": limits });
    pod
}

/// A Pod whose init container has these limits.
fn init_limited(limits: Value) -> Value {
    let mut pod = pod(json!({}));
    pod["spec"]["initContainers"] = json!([{ "name": "first", "image": "i", "resources": { "limits": limits } }]);
    pod
}

#[rstest]
#[case::a_gpu(limited(json!({ "nvidia.com/gpu": "1" })), true)]
#[case::a_slice(limited(json!({ "cpu": "1", "nvidia.com/mig-1g.5gb": "2" })), true)]
#[case::in_an_init_container(init_limited(json!({ "nvidia.com/gpu": "1" })), true)]
#[case::none(limited(json!({ "nvidia.com/gpu": "0" })), false)]
#[case::another_device(limited(json!({ "example.com/gpu": "1" })), false)]
#[case::no_limits(limited(json!({})), false)]
#[case::no_resources(pod(json!({})), false)]
fn pods_with_a_gpu_keep_nvidia_and_all_others_run_in_kata(#[case] pod: Value, #[case] has_gpu: bool) {
    let [without, with] = pair("gpu.yml");
    assert_eq!((without.is_asked_about(&pod), with.is_asked_about(&pod)), (!has_gpu, has_gpu));
    let asked = if has_gpu { with } else { without };
    assert_eq!(outcome(&asked.answer(&pod)).as_deref(), Some(if has_gpu { "nvidia" } else { "kata" }));
}

#[test]
fn a_pod_with_a_gpu_may_name_a_sandbox_and_no_plain_runtime() {
    let [_, with] = pair("gpu.yml");
    let mut pod = limited(json!({ "nvidia.com/gpu": "1" }));
    for (class, expected) in [("kata", None), ("nvidia", None), ("plain", Some("runtime 'plain' is not allowed"))] {
        pod["spec"]["runtimeClassName"] = json!(class);
        assert_eq!(outcome(&with.answer(&pod)).as_deref(), expected, "{class}");
    }
}

/// A Pod with a field of its own, or of its container.
fn pod_with(field: &str, value: Value) -> Value {
    let mut pod = pod(json!({}));
    pod["spec"][field] = value;
    pod
}

fn container_with(containers: &str, security_context: Value) -> Value {
    let mut pod = pod(json!({}));
    pod["spec"][containers] = json!([{ "name": "c", "image": "i", "securityContext": security_context }]);
    pod
}

#[rstest]
#[case::host_network(pod_with("hostNetwork", json!(true)), true)]
#[case::host_pid(pod_with("hostPID", json!(true)), true)]
#[case::host_ipc(pod_with("hostIPC", json!(true)), true)]
#[case::host_path(pod_with("volumes", json!([{ "name": "v", "hostPath": { "path": "/" } }])), true)]
#[case::privileged(container_with("containers", json!({ "privileged": true })), true)]
#[case::privileged_at_first(container_with("initContainers", json!({ "privileged": true })), true)]
#[case::of_its_own(pod(json!({})), false)]
#[case::told_not_to(pod_with("hostNetwork", json!(false)), false)]
#[case::not_privileged(container_with("containers", json!({ "privileged": false })), false)]
#[case::with_capabilities(container_with("containers", json!({ "capabilities": { "add": ["NET_ADMIN"] } })), false)]
#[case::with_another_volume(pod_with("volumes", json!([{ "name": "v", "emptyDir": {} }])), false)]
fn pods_that_use_their_node_are_rejected_or_spared_and_all_others_run_in_kata(
    #[case] pod: Value,
    #[case] uses_its_node: bool,
) {
    let [others, host] = pair("host-rejected.yml");
    assert_eq!((others.is_asked_about(&pod), host.is_asked_about(&pod)), (!uses_its_node, uses_its_node));
    let asked = if uses_its_node { host } else { others };
    let expected = if uses_its_node { "Usage of the default runtime is reserved" } else { "kata" };
    assert_eq!(outcome(&asked.answer(&pod)).as_deref(), Some(expected));

    let spared = only("host-spared.yml");
    assert_eq!(spared.is_asked_about(&pod), !uses_its_node);
}

#[test]
fn the_two_recipes_for_pods_that_use_their_node_agree_on_which_they_are() {
    let ([others, _], spared) = (pair("host-rejected.yml"), only("host-spared.yml"));
    assert_eq!(others.spec()["matchConditions"], spared.spec()["matchConditions"]);
}

#[test]
fn a_pod_that_names_a_class_of_windows_keeps_it() {
    let policy = only("windows.yml");
    let classes = || vec![class("windows-2022", "runhcs-wcow-process"), class("kata", "kata"), class("plain", "runc")];
    assert_eq!(policy.answer_in(&pod_of("windows-2022"), classes()), accepted());
    assert_eq!(outcome(&policy.answer_in(&pod_of("plain"), classes())).as_deref(), Some("kata"));
}

#[test]
fn an_agent_cannot_leave_its_sandbox_by_a_class_of_a_harmless_name() {
    let policy = only("agent-sandboxes.yml");
    let answer = |named, classes: &[(&str, &str)]| {
        let classes = classes.iter().map(|(name, handler)| class(name, handler)).collect();
        outcome(&policy.answer_in(&named, classes))
    };
    let sound = [("gvisor", "runsc"), ("vm", "kata-qemu"), ("plain", "runc")];
    assert_eq!(answer(pod(json!({})), &sound).as_deref(), Some("gvisor"));
    assert_eq!(answer(pod_of("vm"), &sound), None);
    assert_eq!(answer(pod_of("gvisor"), &sound), None);
    assert_eq!(answer(pod_of("plain"), &sound).as_deref(), Some("runtime 'plain' is not allowed"));

    let forged = [("gvisor", "runc")];
    assert_eq!(answer(pod_of("gvisor"), &forged).as_deref(), Some("runtime 'gvisor' is not allowed"));
    let refused = "fallbackRuntime 'gvisor' runs on 'runc', which is not allowed";
    assert_eq!(answer(pod(json!({})), &forged).as_deref(), Some(refused));
}

#[rstest]
#[case("kata-qemu-snp", None)]
#[case("kata-qemu-tdx", None)]
#[case("kata-qemu-nvidia-gpu-snp", None)]
#[case("kata-qemu-se", Some("runtime 'kata-qemu-se' is not allowed"))]
#[case("kata-qemu-coco-dev", Some("runtime 'kata-qemu-coco-dev' is not allowed"))]
#[case("kata-qemu-cca", Some("runtime 'kata-qemu-cca' is not a RuntimeClass of this cluster"))]
fn a_confidential_class_is_kept_or_rejected_and_never_downgraded(#[case] named: &str, #[case] rejection: Option<&str>) {
    let policy = only("confidential.yml");
    let classes =
        ["kata", "kata-qemu-snp", "kata-qemu-tdx", "kata-qemu-nvidia-gpu-snp", "kata-qemu-se", "kata-qemu-coco-dev"];
    let classes = || classes.map(|name| class(name, name)).to_vec();
    assert_eq!(outcome(&policy.answer_in(&pod_of(named), classes())).as_deref(), rejection);
    assert_eq!(outcome(&policy.answer_in(&pod(json!({})), classes())).as_deref(), Some("kata"));
}
