#!/usr/bin/env bats
# The policies of deploy/ on a live cluster: the cluster of the current kube context.
#
# It needs:
# - kubectl, jq and bats. You must be a cluster admin: one test impersonates a kubelet.
# - Kubernetes 1.36 or later: the tests of the guard create a MutatingAdmissionPolicy.
# - deploy/cluster.yml with `mode: protect`, and a guard that rejects: deploy/guard.yml with `mode: protect`, or
#   the native guard, see below.
#
# With NATIVE_POLICY=FILE, a copy of deploy/cluster.yml with `mode: protect` and `failurePolicy: Fail`, it renders
# the native guard of that policy itself, as it creates classes. With ENGINE=native, it renders the mutation, too,
# and tests the native engine alone: without Kubewarden. Both need kubectl-runtime_class in the PATH.
#
# It creates a namespace, RuntimeClasses and MutatingAdmissionPolicies, the class of the fallback and a Node
# if the cluster has none, and deletes what it created. It needs no node that runs Pods: it never waits for
# a Pod to run, and reports the status of a Pod where a kubelet would.
#
# If you changed names in deploy/, set:
#   FALLBACK_RUNTIME  the fallbackRuntime (kata)
#   ALLOWED_HANDLER   a handler that allowedRuntimes matches (kata-qemu)
#   RESERVED_HANDLER  a handler that it does not match (runc)
#   TEST_NAMESPACE    the namespace to create (cluster-bats-…): the policies must cover it
#
# With TENANTS=1, it tests deploy/recipes/tenants/ alone: label.yml, gvisor.yml and, in place of cluster.yml,
# all-others.yml with `mode: protect`.

# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own

bats_require_minimum_version 1.5.0

# --- helpers -----------------------------------------------------------------------------------------

# kubectl in the namespace of this run.
kc() { kubectl --namespace "$TEST_NAMESPACE" "$@"; }

# Fails, and says why.
fail() {
  echo "$*" >&2
  return 1
}

# Asserts that two values are equal.
# usage: equal ACTUAL EXPECTED
equal() { [ "$1" = "$2" ] || fail "actual:   $1"$'\n'"expected: $2"; }

# Repeats a command until it succeeds, for 90 seconds at most.
eventually() {
  local deadline=$((SECONDS + 90)) said
  until said=$("$@" 2>&1); do
    ((SECONDS < deadline)) || fail "not within 90 seconds: $*"$'\n'"$said" || return
    sleep 0.5
  done
}

# Asserts what a command prints.
# usage: prints EXPECTED COMMAND...
prints() {
  local expected=$1
  shift
  equal "$("$@")" "$expected"
}

# Prints a RuntimeClass.
# usage: runtime_class NAME HANDLER [FIELDS]
runtime_class() {
  jq -nc --arg name "$1" --arg handler "$2" --arg id "$ID" --argjson fields "${3:-null}" '{
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: {name: $name, labels: {"cluster-bats": $id}},
    handler: $handler} + $fields'
}

# Overhead and scheduling for nodes that have a label and a taint.
# usage: overhead_and_scheduling NODES
overhead_and_scheduling() {
  jq -nc --arg nodes "$1" '{
    overhead: {podFixed: {cpu: "10m", memory: "16Mi"}},
    scheduling: {
      nodeSelector: {"example.com/runtime": $nodes},
      tolerations: [{key: "example.com/runtime", operator: "Equal", value: $nodes, effect: "NoSchedule"}]}}'
}

# Prints a pod spec that names a class, or none if the name is empty.
# usage: pod_spec CLASS [FIELDS]
pod_spec() {
  jq -nc --arg class "$1" --argjson fields "${2:-null}" '
    {containers: [{name: "app", image: "registry.k8s.io/pause:3.10"}]}
    + (if $class == "" then {} else {runtimeClassName: $class} end)
    + $fields'
}

# Prints a Pod.
# usage: pod NAME CLASS [FIELDS]
pod() {
  jq -nc --arg name "$1" --argjson spec "$(pod_spec "$2" "${3:-null}")" \
    '{apiVersion: "v1", kind: "Pod", metadata: {name: $name}, spec: $spec}'
}

# Creates the object on stdin. Sets `created`, and `warnings`, which kubectl printed.
# usage: create [OPTION...]
create() {
  local stderr=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/stderr
  created=$(kc create -f - -o json "$@" 2>"$stderr") || fail "$(cat "$stderr")" || return
  warnings=$(grep '^Warning: runtime ' "$stderr") || true
}

# Prints what a pod spec says of its runtime: all that a RuntimeClass brings. The API server adds
# tolerations of its own.
runtime_of() {
  jq -cS '.spec | {runtimeClassName, overhead, nodeSelector,
    tolerations: ([.tolerations // [] | .[] | select(.key // "" | startswith("node.kubernetes.io/") | not)] | sort)}'
}

# Prints what runtime_of prints of a Pod that runs with a class.
# usage: runtime CLASS [OWN_NODE_SELECTOR [OWN_TOLERATIONS]]
runtime() {
  kubectl get runtimeclass "$1" -o json | jq -cS --argjson selector "${2:-null}" --argjson tolerations "${3:-null}" '{
    runtimeClassName: .metadata.name,
    overhead: .overhead.podFixed,
    nodeSelector: (.scheduling.nodeSelector + $selector),
    tolerations: ((.scheduling.tolerations // []) + ($tolerations // []) | sort)}'
}

# Asserts that the Pod that was created runs with a class.
# usage: runs_with CLASS [OWN_NODE_SELECTOR [OWN_TOLERATIONS]]
runs_with() { equal "$(runtime_of <<<"$created")" "$(runtime "$@")"; }

# Prints a workload whose Pods have the label `app`.
# usage: workload KIND NAME POD_SPEC [FIELDS]
workload() {
  jq -nc --arg kind "$1" --arg name "$2" --argjson spec "$3" --argjson fields "${4:-null}" '
    {metadata: {labels: {app: $name}}, spec: $spec} as $template
    | {kind: $kind, metadata: {name: $name}}
      + ({
        Job: {apiVersion: "batch/v1", spec: {template: $template}},
        CronJob: {apiVersion: "batch/v1", spec: {schedule: "* * * * *", jobTemplate: {spec: {template: $template}}}}
      }[$kind] // {apiVersion: "apps/v1", spec: {selector: {matchLabels: {app: $name}}, template: $template}})
    | .spec += $fields'
}

# Prints the pod template of the workload on stdin.
template() { jq -c '.spec.jobTemplate.spec.template // .spec.template'; }

pods_of() { kc get pods --selector "app=$1" -o json | jq -cS '.items[]'; }
classes_of() { pods_of "$1" | jq -r .spec.runtimeClassName | sort | uniq -c | sed 's/^ *//'; }
replica_sets_of() { kc get replicasets --selector "app=$1" -o json | jq '.items | length'; }

# Creates a workload, and asserts that its template stays as it is and that its Pod runs with the fallback.
# usage: only_its_pod_is_mutated WORKLOAD [OWN_NODE_SELECTOR [OWN_TOLERATIONS]]
only_its_pod_is_mutated() {
  local workload=$1 kind name
  shift
  kind=$(jq -r .kind <<<"$workload")
  name=$(jq -r .metadata.name <<<"$workload")
  create <<<"$workload"
  eventually prints "1 $FALLBACK_RUNTIME" classes_of "$name"
  equal "$(pods_of "$name" | runtime_of)" "$(runtime "$FALLBACK_RUNTIME" "$@")"
  is_untouched "$kind" "$name" "$workload"
}

# usage: is_untouched KIND NAME WORKLOAD
is_untouched() {
  local now
  now=$(kc get "$1" "$2" -o json)
  equal "$(template <<<"$now" | runtime_of)" "$(template <<<"$3" | runtime_of)"
  equal "$(jq .metadata.generation <<<"$now")" 1
}

# --- set-up ------------------------------------------------------------------------------------------

setup_file() {
  local tool
  for tool in kubectl jq; do
    command -v "$tool" >/dev/null || fail "$tool not found: install $tool" || return
  done
  kubectl version >/dev/null 2>&1 || fail "no cluster in the current kube context: set KUBECONFIG" || return

  export ID FALLBACK_RUNTIME ALLOWED_HANDLER RESERVED_HANDLER TEST_NAMESPACE NODE ENGINE NATIVE_POLICY
  : "${ENGINE:=kubewarden}" "${NATIVE_POLICY:=}"
  ID=cluster-bats-$(printf %04x $RANDOM)
  : "${FALLBACK_RUNTIME:=kata}" "${ALLOWED_HANDLER:=kata-qemu}" "${RESERVED_HANDLER:=runc}" "${TEST_NAMESPACE:=$ID}"

  jq -nc --arg name "$TEST_NAMESPACE" --arg id "$ID" \
    '{apiVersion: "v1", kind: "Namespace", metadata: {name: $name, labels: {"cluster-bats": $id}}}' |
    kubectl create -f - >/dev/null
  eventually kc get serviceaccount default || fail "no ServiceAccount: start kube-controller-manager" || return

  kubectl get runtimeclass "$FALLBACK_RUNTIME" >/dev/null 2>&1 ||
    create_class "$FALLBACK_RUNTIME" "$FALLBACK_RUNTIME" "$(overhead_and_scheduling fallback)"
  if [ -n "${TENANTS:-}" ]; then
    create_tenant
    return
  fi
  create_class "$ID-reserved" "$RESERVED_HANDLER" "$(overhead_and_scheduling reserved)"
  create_class "$ID-alias" "$RESERVED_HANDLER"
  create_class "$ID-sandbox" "$ALLOWED_HANDLER" "$(overhead_and_scheduling sandbox)"

  NODE=$(kubectl get nodes -o name | head -n 1)
  NODE=${NODE#node/}
  [ -n "$NODE" ] || create_node
  render_native
  [ -z "$NATIVE_POLICY" ] || eventually policy_is_active || return
  policy_is_active || return

  create_objects_from_before
  # Its controller waits for the next minute: its test comes last.
  cronjob | kc create -f - >/dev/null
}

create_class() { runtime_class "$@" | kubectl create -f - >/dev/null; }

# Renders the native policies, if they are tested, with the classes that the cluster has now.
render_native() {
  local mutate=()
  [ -n "$NATIVE_POLICY" ] || return 0
  [ "$ENGINE" != native ] || mutate=(--mutate)
  kubectl runtime-class native -f "$NATIVE_POLICY" "${mutate[@]}" | kubectl apply -f - >/dev/null
}

# usage: accepts CLASS
accepts() { create --dry-run=server <<<"$(pod accepted "$1")" && runs_with "$1"; }

# A namespace of its own, with a class of its own, and a user who may change it.
create_tenant() {
  export TENANT=$ID-tenant
  kubectl get runtimeclass gvisor >/dev/null 2>&1 || create_class gvisor runsc "$(overhead_and_scheduling gvisor)"
  jq -nc --arg name "$TENANT" --arg id "$ID" '{apiVersion: "v1", kind: "Namespace", metadata: {
    name: $name, labels: {"cluster-bats": $id, "example.com/runtime-class": "gvisor"}}}' | kubectl create -f - >/dev/null
  eventually kubectl --namespace "$TENANT" get serviceaccount default
  kubectl --namespace "$TENANT" create role tenant --verb=get,patch,update \
    --resource=namespaces,namespaces/status,namespaces/finalize >/dev/null
  kubectl --namespace "$TENANT" create rolebinding tenant --role=tenant --user=tenant >/dev/null
  eventually kubectl auth can-i patch "namespaces/$TENANT" --namespace "$TENANT" --as=tenant
  policy_is_active
}

# A Node that no kubelet runs, for a DaemonSet and a mirror Pod.
create_node() {
  NODE=$ID
  jq -nc --arg name "$NODE" '{
    apiVersion: "v1",
    kind: "Node",
    metadata: {name: $name, labels: {"cluster-bats": $name, "kubernetes.io/hostname": $name}}}' |
    kubectl create -f - >/dev/null
}

policy_is_active() {
  local class hint="apply deploy/cluster.yml with mode: protect, and set FALLBACK_RUNTIME to its fallbackRuntime"
  class=$(pod probe '' | kc create -f - --dry-run=server -o jsonpath='{.spec.runtimeClassName}') ||
    fail "a Pod that names no class is not mutated to '$FALLBACK_RUNTIME', but rejected: $hint" || return
  [ "$class" = "$FALLBACK_RUNTIME" ] ||
    fail "a Pod that names no class gets the class '$class', not '$FALLBACK_RUNTIME': $hint"
}

cronjob() { workload CronJob cronjob "$(pod_spec "$ID-reserved" '{"restartPolicy": "Never"}')"; }

# Pods and Deployments of a reserved class, as they are in a cluster where the policy is new: their class ran
# on an allowed handler when they were created.
create_objects_from_before() {
  local name
  create_class "$ID-before" "$ALLOWED_HANDLER" "$(overhead_and_scheduling before)"
  render_native
  eventually accepts "$ID-before"
  for name in label finalizer debug status eviction deletion; do
    pod "before-$name" "$ID-before" | kc create -f - >/dev/null
  done
  # Without a kubelet no Pod becomes ready: Recreate does not wait for one.
  for name in scaled repaired deleted; do
    workload Deployment "$name" "$(pod_spec "$ID-before")" '{"replicas": 2, "strategy": {"type": "Recreate"}}' |
      kc create -f - >/dev/null
    eventually prints "2 $ID-before" classes_of "$name"
  done
  kubectl delete runtimeclass "$ID-before" >/dev/null
  create_class "$ID-before" "$RESERVED_HANDLER" "$(overhead_and_scheduling before)"
  render_native
  # policy-server keeps a RuntimeClass for 5 seconds.
  eventually fallback_replaces "$ID-before"
}

# usage: fallback_replaces CLASS
fallback_replaces() {
  create --dry-run=server <<<"$(pod replaced "$1")" && runs_with "$FALLBACK_RUNTIME"
}

teardown_file() {
  [ -n "${ID:-}" ] || return 0
  if [ -n "$(kubectl get namespaces --selector "cluster-bats=$ID" -o name)" ]; then
    # What a test that failed may have left: a finalizer, and a Pod of a Node without a kubelet.
    kc patch pod before-finalizer --type=merge -p '{"metadata": {"finalizers": null}}' >/dev/null 2>&1 || true
    kc delete pods --all --grace-period=0 --force >/dev/null 2>&1 || true
    kubectl delete namespaces --selector "cluster-bats=$ID" --timeout=120s >/dev/null
  fi
  kubectl delete runtimeclasses,nodes --selector "cluster-bats=$ID" >/dev/null
  if serves_mutating_admission_policies; then
    kubectl delete mutatingadmissionpolicies,mutatingadmissionpolicybindings --selector "cluster-bats=$ID" >/dev/null
  fi
}

serves_mutating_admission_policies() {
  kubectl get --raw /apis/admissionregistration.k8s.io/v1 |
    jq -e '[.resources[].kind] | index("MutatingAdmissionPolicy")' >/dev/null
}

setup() {
  case " ${BATS_TEST_TAGS[*]} " in
  *" tenants "*) [ -n "${TENANTS:-}" ] || skip "needs deploy/recipes/tenants/ and TENANTS=1" ;;
  *) [ -z "${TENANTS:-}" ] || skip "needs deploy/cluster.yml, without TENANTS" ;;
  esac
}

# --- Pods --------------------------------------------------------------------------------------------

@test "a Pod that names no class gets the fallback" {
  create <<<"$(pod plain '')"
  runs_with "$FALLBACK_RUNTIME"
  equal "$warnings" ""
}

@test "a Pod of a reserved class gets the fallback, and loses the overhead and the scheduling of its class" {
  create <<<"$(pod reserved "$ID-reserved")"
  runs_with "$FALLBACK_RUNTIME"
}

@test "a Pod that is mutated keeps its own nodeSelector and tolerations" {
  local selector='{"example.com/disk": "ssd"}' tolerations='[{"key": "example.com/gpu", "operator": "Exists"}]'
  create <<<"$(pod keeps "$ID-reserved" "{\"nodeSelector\": $selector, \"tolerations\": $tolerations}")"
  runs_with "$FALLBACK_RUNTIME" "$selector" "$tolerations"
}

@test "a Pod of a class whose name says nothing and whose handler is reserved gets the fallback" {
  create <<<"$(pod alias "$ID-alias")"
  runs_with "$FALLBACK_RUNTIME"
}

@test "kubectl shows a warning if a Pod that names a class is mutated" {
  [ "$ENGINE" != native ] || skip "a MutatingAdmissionPolicy cannot warn"
  local class
  for class in "$ID-reserved" "$ID-alias"; do
    create --dry-run=server <<<"$(pod warning "$class")"
    equal "$warnings" "Warning: runtime '$class' is not allowed: this Pod will run with '$FALLBACK_RUNTIME'"
  done
}

@test "a Pod of an allowed class is accepted as it is" {
  local class
  for class in "$ID-sandbox" "$FALLBACK_RUNTIME"; do
    create <<<"$(pod "allowed-$class" "$class")"
    runs_with "$class"
    equal "$warnings" ""
  done
}

@test "--dry-run=server shows the Pod that would be created, and creates none" {
  create --dry-run=server <<<"$(pod dry-run "$ID-reserved")"
  runs_with "$FALLBACK_RUNTIME"
  run -1 kc get pod dry-run
}

# Creates a class, and in the same second a Pod that names it.
# usage: create_class_and_pod NAME HANDLER
create_class_and_pod() {
  { runtime_class "$ID-$1" "$2" && pod "$1" "$ID-$1"; } | kc create -f - >/dev/null
  created=$(kc get pod "$1" -o json)
}

# Asserts that a native policy rejects a Pod of a class that was created in the same second.
# usage: rejects_new_class NAME HANDLER
rejects_new_class() {
  local error
  error=$(create_class_and_pod "$1" "$2" 2>&1) && fail "a Pod of the class $ID-$1 is accepted"
  [[ "$error" == *"request: runtime '$ID-$1' is not a RuntimeClass that this policy knows: render it again"* ]] || fail "$error"
}

@test "a class that was created in the same second is known to Kubewarden, and rejected by the native engine" {
  local n
  for n in 1 2 3 4 5 6 7 8 9 10; do
    if [ "$ENGINE" = native ]; then
      rejects_new_class "new-$n" "$RESERVED_HANDLER"
    else
      create_class_and_pod "new-$n" "$RESERVED_HANDLER"
      runs_with "$FALLBACK_RUNTIME"
    fi
  done
  if [ -n "$NATIVE_POLICY" ]; then
    rejects_new_class new-sandbox "$ALLOWED_HANDLER"
    render_native
    eventually accepts "$ID-new-sandbox"
  else
    create_class_and_pod new-sandbox "$ALLOWED_HANDLER"
    runs_with "$ID-new-sandbox"
  fi
}

# --- mirror Pods -------------------------------------------------------------------------------------

# Prints the Pod that a kubelet creates for a static Pod of its node.
# usage: mirror_pod NAME
mirror_pod() {
  pod "$1" '' '{"nodeName": "'"$NODE"'"}' | jq -c --argjson node "$(kubectl get node "$NODE" -o json)" '.metadata += {
    annotations: {"kubernetes.io/config.mirror": "0"},
    ownerReferences: [{apiVersion: "v1", kind: "Node", controller: true} + ($node.metadata | {name, uid})]}'
}

@test "a mirror Pod from a kubelet is accepted as it is" {
  kc create role kubelet --verb=create --resource=pods
  kc create rolebinding kubelet --role=kubelet --user="system:node:$NODE"
  eventually kc auth can-i create pods --as="system:node:$NODE" --as-group=system:nodes
  create --as="system:node:$NODE" --as-group=system:nodes <<<"$(mirror_pod mirror)"
  equal "$(runtime_of <<<"$created")" '{"nodeSelector":null,"overhead":null,"runtimeClassName":null,"tolerations":[]}'
  kc delete pod mirror --grace-period=0 --force --ignore-not-found
}

@test "a mirror Pod from anyone else gets the fallback" {
  create --dry-run=server <<<"$(mirror_pod not-a-mirror)"
  runs_with "$FALLBACK_RUNTIME"
}

# --- Pods from before --------------------------------------------------------------------------------

@test "a Pod from before can be labelled and annotated" {
  kc label pod before-label example.com/seen=yes
  kc annotate pod before-label example.com/seen=yes
  equal "$(kc get pod before-label -o json | jq -cS '.metadata | [.labels, .annotations]')" \
    '[{"example.com/seen":"yes"},{"example.com/seen":"yes"}]'
}

@test "a Pod from before can get and lose a finalizer" {
  kc patch pod before-finalizer --type=merge -p '{"metadata": {"finalizers": ["example.com/held"]}}'
  kc delete pod before-finalizer --wait=false --grace-period=0
  prints example.com/held kc get pod before-finalizer -o jsonpath='{.metadata.finalizers[*]}'
  kc patch pod before-finalizer --type=merge -p '{"metadata": {"finalizers": null}}'
  kc wait pod before-finalizer --for=delete --timeout=60s
}

@test "a Pod from before can get an ephemeral container" {
  kc debug before-debug --image=registry.k8s.io/pause:3.10 --container=debugger --profile=baseline
  prints debugger kc get pod before-debug -o jsonpath='{.spec.ephemeralContainers[*].name}'
}

@test "the status of a Pod from before can be reported" {
  kc patch pod before-status --subresource=status \
    -p '{"status": {"conditions": [{"type": "example.com/Reported", "status": "True"}]}}'
  prints True kc get pod before-status -o jsonpath='{.status.conditions[?(@.type=="example.com/Reported")].status}'
}

@test "a Pod from before can be evicted" {
  jq -nc '{
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: {name: "before-eviction"},
    deleteOptions: {gracePeriodSeconds: 0}}' |
    kubectl create --raw "/api/v1/namespaces/$TEST_NAMESPACE/pods/before-eviction/eviction" -f -
  kc wait pod before-eviction --for=delete --timeout=60s
}

@test "a Pod from before can be deleted" {
  kc delete pod before-deletion --timeout=60s
}

# --- workloads ---------------------------------------------------------------------------------------

@test "a Deployment keeps its template, and its Pods get the fallback" {
  only_its_pod_is_mutated "$(workload Deployment deployment "$(pod_spec "$ID-reserved")")"
  equal "$(replica_sets_of deployment)" 1
}

@test "a Deployment that names no class keeps its template, and its Pods get the fallback" {
  only_its_pod_is_mutated "$(workload Deployment no-class "$(pod_spec '')")"
  equal "$(replica_sets_of no-class)" 1
}

@test "a StatefulSet keeps its template, and its Pods get the fallback" {
  only_its_pod_is_mutated "$(workload StatefulSet statefulset "$(pod_spec "$ID-reserved")" '{"serviceName": "none"}')"
}

@test "a DaemonSet keeps its template, and its Pods get the fallback" {
  local selector tolerations own='[{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]'
  selector=$(kubectl get node "$NODE" -o json | jq -c '.metadata.labels | {"kubernetes.io/hostname"}')
  tolerations=$(jq -c '. + [{key: ("node.kubernetes.io/" + ("not-ready", "unreachable")), operator: "Exists"}]' \
    <<<"$own")
  only_its_pod_is_mutated "$(workload DaemonSet daemonset \
    "$(pod_spec "$ID-reserved" "{\"nodeSelector\": $selector, \"tolerations\": $tolerations}")")" "$selector" "$own"
}

@test "a Job keeps its template, its Pods get the fallback, and it completes" {
  only_its_pod_is_mutated "$(workload Job job "$(pod_spec "$ID-reserved" '{"restartPolicy": "Never"}')")"
  local name
  name=$(pods_of job | jq -r .metadata.name)
  kc patch pod "$name" --subresource=status -p '{"status": {"phase": "Succeeded"}}'
  kc wait job job --for=condition=Complete --timeout=90s
  # The job controller takes its finalizer off the Pod.
  prints '' kc get pod "$name" -o jsonpath='{.metadata.finalizers}'
}

# --- Deployments of a reserved class, from before ----------------------------------------------------

@test "a Deployment of a reserved class scales up and down, with one ReplicaSet" {
  kc scale deployment scaled --replicas=5
  eventually prints "2 $ID-before"$'\n'"3 $FALLBACK_RUNTIME" classes_of scaled
  # A controller that finds its template changed makes another ReplicaSet every few seconds.
  sleep 10
  equal "$(replica_sets_of scaled)" 1
  kc scale deployment scaled --replicas=0
  eventually prints '' classes_of scaled
}

@test "a Deployment of a reserved class can be repaired" {
  kc patch deployment repaired --type=json \
    -p '[{"op": "replace", "path": "/spec/template/spec/runtimeClassName", "value": "'"$ID-sandbox"'"}]'
  eventually prints "2 $ID-sandbox" classes_of repaired
  replicas() {
    kc get replicasets --selector app=repaired -o json |
      jq -cS '[.items[] | {(.spec.template.spec.runtimeClassName): .status.replicas}] | add'
  }
  eventually prints "$(jq -ncS --arg id "$ID" '{($id + "-before"): 0, ($id + "-sandbox"): 2}')" replicas
}

@test "a Deployment of a reserved class can be deleted in the foreground" {
  kc delete deployment deleted --cascade=foreground --timeout=90s
  equal "$(replica_sets_of deleted)" 0
  prints '' classes_of deleted
}

# --- the guard ---------------------------------------------------------------------------------------

# Mutates the Pods that have the label `later` after all webhooks: the API server runs a
# MutatingAdmissionPolicy again if a webhook changed the Pod.
# usage: later_mutation NAME JSON_PATCH
later_mutation() {
  serves_mutating_admission_policies ||
    fail "the API server has no MutatingAdmissionPolicy: run this file on Kubernetes 1.36 or later" || return
  jq -nc --arg name "$ID-$1" --arg mutation "$1" --arg patch "$2" --arg id "$ID" --arg namespace "$TEST_NAMESPACE" '
    {apiVersion: "admissionregistration.k8s.io/v1", metadata: {name: $name, labels: {"cluster-bats": $id}}} as $object
    | ($object + {kind: "MutatingAdmissionPolicy", spec: {
        reinvocationPolicy: "IfNeeded",
        matchConstraints: {
          namespaceSelector: {matchLabels: {"kubernetes.io/metadata.name": $namespace}},
          objectSelector: {matchLabels: {later: $mutation}},
          resourceRules: [{apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"]}]},
        mutations: [{patchType: "JSONPatch", jsonPatch: {expression: $patch}}]}}),
      ($object + {kind: "MutatingAdmissionPolicyBinding", spec: {policyName: $name}})' | kubectl create -f - >/dev/null
}

# Asserts that a guard rejects a Pod that a later mutation changes. The policy must not change it again: Kubewarden
# registers its webhooks with reinvocationPolicy Never.
# usage: guard_rejects MUTATION MESSAGE
guard_rejects() {
  local class pod error stderr=$BATS_TEST_TMPDIR/stderr deadline=$((SECONDS + 60))
  pod=$(pod guarded '' | jq -c --arg mutation "$1" '.metadata.labels.later = $mutation')
  # The API server takes a moment to load a MutatingAdmissionPolicy.
  while class=$(kc create -f - --dry-run=server -o jsonpath='{.spec.runtimeClassName}' 2>"$stderr" <<<"$pod"); do
    [ "$class" = "$FALLBACK_RUNTIME" ] || fail "no guard rejects a Pod that ends with the class '$class': apply \
deploy/guard.yml with mode: protect, or set NATIVE_POLICY" || return
    ((SECONDS < deadline)) || fail "the MutatingAdmissionPolicy has no effect" || return
    sleep 1
  done
  error=$(grep -v '^Warning: ' "$stderr")
  [[ "$error" == *" denied "*"request: $2" ]] || fail "$error"
}

@test "the guard rejects a Pod that a later mutation gives a reserved class" {
  later_mutation reserved '
    [JSONPatch{op: "add", path: "/spec/runtimeClassName", value: "'"$ID-alias"'"}]
    + (has(object.spec.overhead) ? [JSONPatch{op: "remove", path: "/spec/overhead"}] : [])'
  guard_rejects reserved "runtime '$ID-alias' is not allowed"
}

@test "the guard rejects a Pod that a later mutation takes the class from" {
  later_mutation default '
    (has(object.spec.runtimeClassName) ? [JSONPatch{op: "remove", path: "/spec/runtimeClassName"}] : [])
    + (has(object.spec.overhead) ? [JSONPatch{op: "remove", path: "/spec/overhead"}] : [])'
  guard_rejects default 'Usage of the default runtime is reserved'
}

# --- what the documents say of Kubewarden ------------------------------------------------------------

@test "the webhook of the policy covers what the policy selects but Kubewarden's namespace, and is not asked again" {
  local policy webhook
  policy=$(kubectl get clusteradmissionpolicy pod-runtime-class -o json 2>/dev/null) || skip 'needs Kubewarden'
  webhook=$(kubectl get mutatingwebhookconfiguration clusterwide-pod-runtime-class -o json | jq -c '.webhooks[0]')
  equal "$(jq -r .name <<<"$webhook")" clusterwide-pod-runtime-class.kubewarden.admission
  equal "$(jq -r .reinvocationPolicy <<<"$webhook")" Never
  # Not its matchLabels: docs/operating.md#which-namespaces-to-cover
  equal "$(jq -cS '.namespaceSelector | [keys, .matchExpressions[0].operator, .matchExpressions[1:]]' <<<"$webhook")" \
    "$(jq -cS '[["matchExpressions"], "NotIn", .spec.namespaceSelector.matchExpressions]' <<<"$policy")"
}

# --- tenants -----------------------------------------------------------------------------------------

# Asserts that a command fails, and says this.
# usage: refused MESSAGE COMMAND...
refused() {
  local message=$1
  shift
  run "$@"
  [ "$status" -ne 0 ] || fail "it was accepted: $*" || return
  [[ "$output" == *"$message"* ]] || fail "actual:   $output"$'\n'"expected: $message"
}

# Sets or removes the label of the tenant's namespace, or another label.
# usage: label_tenant KEY=VALUE|KEY- [OPTION...]
label_tenant() { kubectl label namespace "$TENANT" --overwrite "$@"; }

# bats test_tags=tenants
@test "a Pod that names no class gets the class of its namespace" {
  create --namespace "$TENANT" <<<"$(pod own '')"
  runs_with gvisor
  create <<<"$(pod other '')"
  runs_with "$FALLBACK_RUNTIME"
  equal "$warnings" ""
}

# bats test_tags=tenants
@test "a Pod that names the class of its namespace is accepted, and one that names another class is rejected" {
  create --namespace "$TENANT" <<<"$(pod named gvisor)"
  runs_with gvisor
  create_in() { kubectl create --namespace "$1" -f - <<<"$2"; }
  refused "runtime '$FALLBACK_RUNTIME' is not allowed" create_in "$TENANT" "$(pod foreign "$FALLBACK_RUNTIME")"
  refused "runtime 'gvisor' is not allowed" create_in "$TEST_NAMESPACE" "$(pod foreign gvisor)"
}

# bats test_tags=tenants
@test "a Deployment that names the class of another tenant says why it has no Pods" {
  workload Deployment foreign "$(pod_spec "$FALLBACK_RUNTIME")" | kubectl create --namespace "$TENANT" -f -
  why() {
    kubectl get deployment foreign --namespace "$TENANT" -o json |
      jq -er '.status.conditions[] | select(.type == "ReplicaFailure") | .message' |
      grep -F "runtime '$FALLBACK_RUNTIME' is not allowed"
  }
  eventually why
}

# bats test_tags=tenants
@test "a changed label counts for the next Pod" {
  label_tenant example.com/runtime-class=kata
  create --namespace "$TENANT" --dry-run=server <<<"$(pod moved '')"
  runs_with "$FALLBACK_RUNTIME"
  label_tenant example.com/runtime-class=gvisor
  create --namespace "$TENANT" --dry-run=server <<<"$(pod moved '')"
  runs_with gvisor
}

# bats test_tags=tenants
@test "a tenant changes other labels of its namespace, and not the one that chooses its class" {
  local only='only those who may create RuntimeClasses may change the label example.com/runtime-class'
  label_tenant example.com/team=a --as=tenant
  refused "$only" label_tenant example.com/runtime-class=kata --as=tenant
  refused "$only" label_tenant example.com/runtime-class- --as=tenant
  prints gvisor kubectl get namespace "$TENANT" -o jsonpath='{.metadata.labels.example\.com/runtime-class}'
}

# bats test_tags=tenants
@test "a tenant can't change the label through a subresource either" {
  local only='only those who may create RuntimeClasses may change the label example.com/runtime-class' changed
  refused "$only" kubectl patch namespace "$TENANT" --subresource=status --type=merge --as=tenant \
    -p '{"metadata": {"labels": {"example.com/runtime-class": "kata"}}}'
  changed=$(kubectl get namespace "$TENANT" -o json | jq -c '.metadata.labels["example.com/runtime-class"] = "kata"')
  finalize() { kubectl replace --raw "/api/v1/namespaces/$TENANT/finalize" -f - --as=tenant <<<"$changed"; }
  refused "$only" finalize
}

# bats test_tags=tenants
@test "who may create RuntimeClasses chooses among the classes that have a policy" {
  refused 'the label example.com/runtime-class must be kata or gvisor' label_tenant example.com/runtime-class=runc
}

# --- a controller that waits for the next minute -----------------------------------------------------

@test "a CronJob keeps its template, and its Pods get the fallback" {
  runtime_of_first_pod() { pods_of cronjob | runtime_of | head -n 1; }
  eventually prints "$(runtime "$FALLBACK_RUNTIME")" runtime_of_first_pod
  is_untouched cronjob cronjob "$(cronjob)"
}
