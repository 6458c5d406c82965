#!/usr/bin/env bats
# The policy from outside: the same file holds for kwctl and for the evaluator.
#   KWCTL   what evaluates the policy (kwctl)
#   POLICY  the module (annotated-policy.wasm)

REQUESTS=test_data/requests
CLASSES=test_data/runtimeclasses.replay.yml

# Sets `answer`: the whole AdmissionResponse less its uid, with the patch decoded. kwctl logs on stderr.
# usage: evaluate REQUEST SETTINGS [OPTION...]
evaluate() {
  local request=$1 settings=$2
  shift 2
  local response
  response=$("${KWCTL:-kwctl}" run "${POLICY:-annotated-policy.wasm}" --request-path "$request" \
    --settings-json "$settings" "$@" 2>"$BATS_TEST_TMPDIR/stderr") || { cat "$BATS_TEST_TMPDIR/stderr"; return 1; }
  answer=$(jq -c 'del(.uid) | if .patch then .patch |= (@base64d | fromjson | sort_by(.path)) else . end' <<<"$response")
}

# The same, with access to the cluster's RuntimeClasses: those of the recording.
evaluate_with_classes() {
  evaluate "$@" --allow-context-aware --replay-host-capabilities-interactions "$CLASSES"
}

# Asserts that the answer is this, all of it.
# usage: answers JSON
answers() {
  jq -ne --argjson answer "$answer" --argjson expected "$1" '$answer == $expected' >/dev/null || {
    echo "answer:   $(jq -cS . <<<"$answer")"
    echo "expected: $(jq -cS . <<<"$1")"
    return 1
  }
}

accepted='{"allowed":true,"auditAnnotations":null,"warnings":null}'

# usage: refused CLASS MESSAGE [CODE]
refused() {
  jq -nc --arg class "$1" --arg message "$2" --argjson code "${3:-null}" '{
    allowed: false,
    status: ({message: $message} + if $code then {code: $code} else {} end),
    auditAnnotations: {"requested-runtime-class": $class},
    warnings: null}'
}

# usage: changed CLASS FALLBACK PATCH [WARNING]
changed() {
  jq -nc --arg class "$1" --arg fallback "$2" --argjson patch "$3" --arg warning "${4:-}" '{
    allowed: true,
    patchType: "JSONPatch",
    patch: ($patch | sort_by(.path)),
    auditAnnotations: {"requested-runtime-class": $class, "enforced-runtime-class": $fallback},
    warnings: (if $warning == "" then null else [$warning] end)}'
}

# The recorded Pod, naming the class $1.
pod_of() {
  jq --arg class "$1" '.request.object.spec.runtimeClassName = $class' $REQUESTS/pod-create-gvisor.json \
    >"$BATS_TEST_TMPDIR/request.json"
  echo "$BATS_TEST_TMPDIR/request.json"
}

# Asserts that settings are refused.
# usage: settings_are_refused SETTINGS MESSAGE
settings_are_refused() {
  run "${KWCTL:-kwctl}" run "${POLICY:-annotated-policy.wasm}" --request-path $REQUESTS/pod-create-default.json \
    --settings-json "$1"
  [ "$status" -eq 1 ]
  [[ "$output" == *"Provided settings are not valid: "*"$2"* ]] || { echo "$output"; return 1; }
}

# --- names alone -------------------------------------------------------------------------------------

@test "a Pod that names a reserved class is refused" {
  evaluate "$(pod_of runC)" '{"reservedRuntimes":["runC"]}'
  answers "$(refused runC "runtime 'runC' is reserved")"
}

@test "a Pod that names a class that is not reserved is accepted" {
  evaluate "$(pod_of runC)" '{"reservedRuntimes":["gVisor"]}'
  answers "$accepted"
}

@test "a Pod that names a reserved class gets the fallback" {
  evaluate "$(pod_of runC)" '{"reservedRuntimes":["runC"],"fallbackRuntime":"kata"}'
  answers "$(changed runC kata '[{"op":"replace","path":"/spec/runtimeClassName","value":"kata"}]' \
    "runtime 'runC' is reserved: this Pod will run with 'kata'")"
}

@test "a Pod that names a class that is not reserved is accepted, whatever the default and the fallback" {
  evaluate $REQUESTS/pod-create-gvisor.json \
    '{"reservedRuntimes":["runC"],"defaultRuntimeReserved":true,"fallbackRuntime":"kata"}'
  answers "$accepted"
}

@test "a Pod that names no class is refused if the default is reserved" {
  evaluate $REQUESTS/pod-create-default.json '{"defaultRuntimeReserved":true}'
  answers "$(refused '(default)' 'Usage of the default runtime is reserved')"
}

@test "a Pod that names no class is accepted if the default is not reserved" {
  evaluate $REQUESTS/pod-create-default.json '{"reservedRuntimes":["runC"]}'
  answers "$accepted"
}

@test "a Pod that names no class gets the fallback, whether the default is reserved or not" {
  for reserved in true false; do
    evaluate $REQUESTS/pod-create-default.json '{"fallbackRuntime":"kata","defaultRuntimeReserved":'$reserved'}'
    answers "$(changed '(default)' kata '[{"op":"add","path":"/spec/runtimeClassName","value":"kata"}]')"
  done
}

@test "a class that is not allowed is refused" {
  evaluate $REQUESTS/pod-create-gvisor.json '{"allowedRuntimes":["kata"]}'
  answers "$(refused gvisor "runtime 'gvisor' is not allowed")"
}

@test "a class that is not allowed is changed to the fallback" {
  evaluate $REQUESTS/pod-create-gvisor.json '{"allowedRuntimes":["kata"],"fallbackRuntime":"kata"}'
  answers "$(changed gvisor kata '[{"op":"replace","path":"/spec/runtimeClassName","value":"kata"}]' \
    "runtime 'gvisor' is not allowed: this Pod will run with 'kata'")"
}

@test "a class that is allowed is accepted" {
  evaluate $REQUESTS/pod-create-gvisor.json '{"allowedRuntimes":["kata","GV*"],"fallbackRuntime":"kata"}'
  answers "$accepted"
}

@test "an allow list says nothing of Pods that name no class" {
  evaluate $REQUESTS/pod-create-default.json '{"allowedRuntimes":["kata"]}'
  answers "$accepted"
}

@test "a * stands for any run of characters" {
  evaluate "$(pod_of kata-qemu)" '{"reservedRuntimes":["kata-*"]}'
  answers "$(refused kata-qemu "runtime 'kata-qemu' is reserved")"
  evaluate "$(pod_of kata)" '{"reservedRuntimes":["kata-*"]}'
  answers "$accepted"
}

@test "no settings refuse nothing" {
  evaluate $REQUESTS/pod-create-runc-plain.json '{}'
  answers "$accepted"
}

# --- handlers ----------------------------------------------------------------------------------------

@test "a class that runs on a reserved runtime is refused" {
  evaluate_with_classes "$(pod_of runc-bare)" '{"reservedRuntimes":["runC"]}'
  answers "$(refused runc-bare "runtime 'runc-bare' is reserved: it runs on 'runc'")"
}

@test "a Pod that is changed loses what its class gave it, and keeps its own" {
  evaluate_with_classes $REQUESTS/pod-create-runc-plain.json '{"reservedRuntimes":["runC"],"fallbackRuntime":"kata"}'
  answers "$(changed runc-plain kata '[
    {"op":"remove","path":"/spec/nodeSelector/runtime"},
    {"op":"remove","path":"/spec/overhead"},
    {"op":"replace","path":"/spec/runtimeClassName","value":"kata"},
    {"op":"remove","path":"/spec/tolerations/2"}
  ]' "runtime 'runc-plain' is reserved: this Pod will run with 'kata'")"
}

@test "a class that runs on another runtime is accepted" {
  evaluate_with_classes $REQUESTS/pod-create-gvisor.json '{"reservedRuntimes":["runC"]}'
  answers "$accepted"
}

@test "a class that runs on an allowed runtime is accepted" {
  evaluate_with_classes $REQUESTS/pod-create-gvisor.json '{"allowedRuntimes":["runsc"]}'
  answers "$accepted"
}

@test "a class that the cluster does not have is known by its name alone" {
  evaluate_with_classes "$(pod_of ghost)" '{"reservedRuntimes":["runC"]}'
  answers "$accepted"
  evaluate_with_classes "$(pod_of ghost)" '{"allowedRuntimes":["runsc"]}'
  answers "$(refused ghost "runtime 'ghost' is not allowed")"
}

@test "without access, names alone are compared" {
  evaluate "$(pod_of runc-bare)" '{"reservedRuntimes":["runC"]}'
  answers "$accepted"
}

@test "without access, matchHandlers refuses" {
  evaluate "$(pod_of runc-bare)" '{"reservedRuntimes":["runC"],"matchHandlers":true}'
  answers "$(refused runc-bare "matchHandlers is true, but this policy has not been granted access to RuntimeClasses:\
 add {apiVersion: node.k8s.io/v1, kind: RuntimeClass} to its contextAwareResources" 500)"
}

@test "with matchHandlers off, RuntimeClasses are not read" {
  evaluate_with_classes "$(pod_of runc-bare)" '{"reservedRuntimes":["runC"],"matchHandlers":false}'
  answers "$accepted"
}

@test "a fallback that the cluster does not have is given to none" {
  evaluate_with_classes $REQUESTS/pod-create-default.json '{"fallbackRuntime":"ghost"}'
  answers "$(refused '(default)' "fallbackRuntime 'ghost' is not a RuntimeClass of this cluster" 500)"
}

@test "a fallback that runs on a reserved runtime is given to none" {
  evaluate_with_classes $REQUESTS/pod-create-default.json '{"reservedRuntimes":["runC"],"fallbackRuntime":"runc-bare"}'
  answers "$(refused '(default)' "fallbackRuntime 'runc-bare' runs on 'runc', which is reserved" 500)"
}

@test "a fallback that is not allowed is given to none" {
  evaluate_with_classes $REQUESTS/pod-create-default.json '{"allowedRuntimes":["runsc"],"fallbackRuntime":"kata"}'
  answers "$(refused '(default)' "fallbackRuntime 'kata' runs on 'kata', which is not allowed" 500)"
}

# --- requests ----------------------------------------------------------------------------------------

strict='{"reservedRuntimes":["runC"],"defaultRuntimeReserved":true}'

@test "a DELETE is accepted" {
  evaluate_with_classes $REQUESTS/pod-delete.json "$strict"
  answers "$accepted"
}

@test "an update that does not change the class is accepted" {
  for request in pod-update-default-label job-update-label; do
    evaluate_with_classes $REQUESTS/$request.json "$strict"
    answers "$accepted"
  done
}

@test "templates are judged" {
  for request in deployment-create-runc-plain cronjob-create-runc-plain; do
    evaluate_with_classes $REQUESTS/$request.json "$strict"
    answers "$(refused runc-plain "runtime 'runc-plain' is reserved: it runs on 'runc'")"
  done
  evaluate_with_classes $REQUESTS/job-create-runc-bare.json "$strict"
  answers "$(refused runc-bare "runtime 'runc-bare' is reserved: it runs on 'runc'")"
}

@test "templates keep their scheduling" {
  evaluate_with_classes $REQUESTS/deployment-create-runc-plain.json \
    '{"reservedRuntimes":["runC"],"fallbackRuntime":"kata"}'
  answers "$(changed runc-plain kata '[{"op":"replace","path":"/spec/template/spec/runtimeClassName","value":"kata"}]' \
    "runtime 'runc-plain' is reserved: this Deployment will run with 'kata'")"
}

@test "other kinds pass" {
  evaluate_with_classes $REQUESTS/service-create.json "$strict"
  answers "$accepted"
}

@test "a mirror Pod from anyone but a kubelet is an ordinary Pod" {
  evaluate_with_classes $REQUESTS/pod-create-mirror-by-admin.json "$strict"
  answers "$(refused '(default)' 'Usage of the default runtime is reserved')"
}

@test "a mirror Pod from a kubelet is accepted" {
  jq '.request.userInfo.groups = ["system:nodes"]' $REQUESTS/pod-create-mirror-by-admin.json \
    >"$BATS_TEST_TMPDIR/request.json"
  evaluate_with_classes "$BATS_TEST_TMPDIR/request.json" "$strict"
  answers "$accepted"
}

@test "a Pod in the sandbox is accepted" {
  evaluate_with_classes $REQUESTS/pod-create-kata.json "$strict"
  answers "$accepted"
}

@test "a request that cannot be read is refused, and says where" {
  jq '.request.object.spec.runtimeClassName = 5' $REQUESTS/pod-create-default.json >"$BATS_TEST_TMPDIR/request.json"
  evaluate "$BATS_TEST_TMPDIR/request.json" "$strict"
  answers "$(jq -nc '{allowed: false, auditAnnotations: null, warnings: null, status: {code: 400, message:
    "the request can'"'"'t be read: invalid type: integer `5`, expected request.object.spec.runtimeClassName to be a string"}}')"
}

# --- settings ----------------------------------------------------------------------------------------

@test "a key that is misspelled is refused" {
  settings_are_refused '{"reservedRuntime":["runC"]}' 'unknown setting reservedRuntime: ["runC"]'
}

@test "a value of the wrong type is refused" {
  settings_are_refused '{"reservedRuntimes":"runC"}' 'reservedRuntimes has to be a list of strings, not "runC"'
}

@test "a fallback that is reserved is refused" {
  settings_are_refused '{"reservedRuntimes":["a"],"fallbackRuntime":"a"}' \
    'fallback runtime a cannot be part of the reserved runtimes'
}

@test "a fallback that can be no class is refused" {
  settings_are_refused '{"fallbackRuntime":"Kata"}' "fallbackRuntime 'Kata' is not the name of a RuntimeClass"
}

@test "a fallback that is not allowed by name is refused where handlers are not matched" {
  settings_are_refused '{"allowedRuntimes":["kata"],"fallbackRuntime":"gvisor","matchHandlers":false}' \
    "fallbackRuntime 'gvisor' is not part of allowedRuntimes"
}

@test "both lists are refused" {
  settings_are_refused '{"reservedRuntimes":["a"],"allowedRuntimes":["b"]}' \
    'reservedRuntimes ["a"] and allowedRuntimes ["b"] cannot be used together'
}

@test "an entry that nothing can match is refused" {
  settings_are_refused '{"reservedRuntimes":["run_c"]}' "reservedRuntimes has 'run_c', which matches nothing"
  settings_are_refused '{"reservedRuntimes":[""]}' "reservedRuntimes has '', which matches nothing"
}
