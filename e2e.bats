#!/usr/bin/env bats
# What only a command can show: the printed line, the patch, replay files and exit codes. It holds for kwctl
# and for kubectl-runtime_class; the decisions themselves are tested through the module, in tests/.
#   KWCTL   the command that evaluates the policy (default: kwctl)
#   POLICY  the module (default: annotated-policy.wasm)

REQUESTS=test_data/requests
REPLAY=test_data/replay

# usage: evaluate REQUEST SETTINGS [OPTION...]
evaluate() {
  local request=$REQUESTS/$1.json settings=$2
  shift 2
  run --separate-stderr "${KWCTL:-kwctl}" run "${POLICY:-annotated-policy.wasm}" --request-path "$request" \
    --settings-json "$settings" "$@"
}

# usage: replay FILE REQUEST SETTINGS
replay() {
  evaluate "$2" "$3" --allow-context-aware --replay-host-capabilities-interactions "$REPLAY/$1.replay.yml"
}

# Asserts that the command printed one line, this answer less its uid, with the patch decoded.
# usage: answers JSON
answers() {
  [ "$status" -eq 0 ] || { echo "exit $status: $stderr"; return 1; }
  [ "${#lines[@]}" -eq 1 ] || { echo "more than a line: $output"; return 1; }
  local answer
  answer=$(jq -cS 'del(.uid) | if .patch then .patch |= (@base64d | fromjson | sort_by(.path)) else . end' <<<"$output")
  [ "$answer" = "$(jq -cS . <<<"$1")" ] || { echo "answer:   $answer"; echo "expected: $(jq -cS . <<<"$1")"; return 1; }
}

setup() {
  bats_require_minimum_version 1.5.0
}

@test "a Pod is accepted" {
  evaluate pod-create-gvisor '{"reservedRuntimes":["runC"]}'
  answers '{"allowed":true,"auditAnnotations":null,"warnings":null}'
}

@test "a Pod of a reserved class is rejected" {
  evaluate pod-create-gvisor '{"reservedRuntimes":["gVisor"]}'
  answers '{"allowed":false,"auditAnnotations":{"requested-runtime-class":"gvisor"},"warnings":null,
    "status":{"message":"runtime '"'gvisor'"' is reserved"}}'
}

@test "a Pod of a reserved class is mutated to the fallback, with a warning" {
  evaluate pod-create-gvisor '{"reservedRuntimes":["gVisor"],"fallbackRuntime":"kata"}'
  answers '{"allowed":true,"patchType":"JSONPatch",
    "patch":[{"op":"replace","path":"/spec/runtimeClassName","value":"kata"}],
    "auditAnnotations":{"requested-runtime-class":"gvisor","enforced-runtime-class":"kata"},
    "warnings":["runtime '"'gvisor'"' is reserved: this Pod will run with '"'kata'"'"]}'
}

@test "a Pod that names no class is rejected if the default is reserved" {
  evaluate pod-create-default '{"defaultRuntimeReserved":true}'
  answers '{"allowed":false,"auditAnnotations":{"requested-runtime-class":"(default)"},"warnings":null,
    "status":{"message":"Usage of the default runtime is reserved"}}'
}

@test "a Pod that names no class is mutated to the fallback, without a warning" {
  evaluate pod-create-default '{"fallbackRuntime":"kata"}'
  answers '{"allowed":true,"patchType":"JSONPatch",
    "patch":[{"op":"add","path":"/spec/runtimeClassName","value":"kata"}],
    "auditAnnotations":{"requested-runtime-class":"(default)","enforced-runtime-class":"kata"},"warnings":null}'
}

@test "a Pod that is mutated loses the fields that its class gave it, and keeps its own" {
  replay runc-plain-to-kata pod-create-runc-plain '{"reservedRuntimes":["runC"],"fallbackRuntime":"kata"}'
  answers '{"allowed":true,"patchType":"JSONPatch",
    "patch":[{"op":"remove","path":"/spec/nodeSelector/runtime"},{"op":"remove","path":"/spec/overhead"},
      {"op":"replace","path":"/spec/runtimeClassName","value":"kata"},{"op":"remove","path":"/spec/tolerations/2"}],
    "auditAnnotations":{"requested-runtime-class":"runc-plain","enforced-runtime-class":"kata"},
    "warnings":["runtime '"'runc-plain'"' is reserved: this Pod will run with '"'kata'"'"]}'
}

@test "a template is accepted as it is, with a warning" {
  replay runc-plain-to-kata deployment-create-runc-plain '{"reservedRuntimes":["runC"],"fallbackRuntime":"kata"}'
  answers '{"allowed":true,"auditAnnotations":null,
    "warnings":["runtime '"'runc-plain'"' is reserved: the Pods of this Deployment will run with '"'kata'"'"]}'
}

@test "a class is looked up in the cluster" {
  replay gvisor pod-create-gvisor '{"reservedRuntimes":["runsc"]}'
  answers '{"allowed":false,"auditAnnotations":{"requested-runtime-class":"gvisor"},"warnings":null,
    "status":{"message":"runtime '"'gvisor'"' is reserved: it runs on '"'runsc'"'"}}'
}

@test "without access, names alone are compared" {
  evaluate pod-create-gvisor '{"reservedRuntimes":["runsc"]}'
  answers '{"allowed":true,"auditAnnotations":null,"warnings":null}'
}

@test "without access, matchHandlers rejects with code 500" {
  evaluate pod-create-gvisor '{"reservedRuntimes":["runsc"],"matchHandlers":true}'
  answers '{"allowed":false,"auditAnnotations":{"requested-runtime-class":"gvisor"},"warnings":null,"status":{"code":500,
    "message":"matchHandlers is true, but RuntimeClass '"'gvisor'"' can'"'"'t be read: Policy has not been granted access to Kubernetes node.k8s.io/v1/RuntimeClass resources. The violation has been reported. Add node.k8s.io/v1 RuntimeClass to the policy'"'"'s contextAwareResources."}}'
}

@test "a request that can't be read is rejected with code 400" {
  jq '.request.object.spec.runtimeClassName = 5' $REQUESTS/pod-create-default.json >"$BATS_TEST_TMPDIR/five.json"
  REQUESTS=$BATS_TEST_TMPDIR evaluate five '{"reservedRuntimes":["runC"]}'
  answers '{"allowed":false,"auditAnnotations":null,"warnings":null,
    "status":{"code":400,"message":"request.object.spec.runtimeClassName: expected a string, got 5"}}'
}

@test "invalid settings exit 1 and print no answer" {
  evaluate pod-create-default '{"reservedRuntimes":["a"],"fallbackRuntime":"a"}'
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ "$stderr" == *"Provided settings are not valid: fallback runtime a cannot be part of the reserved runtimes"* ]]
}
