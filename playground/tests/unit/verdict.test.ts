import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EXAMPLES, exampleOf } from "../../src/examples.ts";
import { readClasses } from "../../src/input/classes.ts";
import { readSettings } from "../../src/input/settings.ts";
import { readWorkloads } from "../../src/input/workload.ts";
import { DEFAULTS, type State } from "../../src/state.ts";
import { decide, type Verdicts } from "../../src/verdict.ts";
import { POLICY } from "./module.ts";

function verdictsOf(state: State): Verdicts[] {
  const { scope, json } = readSettings(state.settings);
  const cluster = { access: scope.mayReadClasses ? state.access : ("not-granted" as const), classes: readClasses(state.classes).classes };
  const judge = { policy: POLICY, scope, settings: json, cluster, namespaces: new Map() };
  return readWorkloads(state.workload, state).workloads.map((workload) => decide(judge, workload));
}

const inWords = (state: State) =>
  verdictsOf(state).flatMap(({ own, pods }) => [own, ...(pods ? [pods] : [])].map(({ title, outcome, sentence }) => `${title}: ${outcome}. ${sentence}`));

const example = (id: string) => inWords(exampleOf(id)!.state);

test("the ids of examples are all different", () => {
  expect(new Set(EXAMPLES.map(({ id }) => id)).size).toBe(EXAMPLES.length);
});

test("each example says in words what happens", () => {
  expect(Object.fromEntries(EXAMPLES.filter(({ id }) => id !== "invalid-settings").map(({ id }) => [id, example(id)]))).toEqual({
    "no-class-rejected": ["Pod web: rejected. Kubernetes does not create this Pod."],
    "no-class-mutated": ["Pod web: mutated. Kubernetes creates this Pod with another RuntimeClass. It runs with containerd-kata."],
    handler: ["Pod web: mutated. Kubernetes creates this Pod with another RuntimeClass. It runs with containerd-kata."],
    "other-class": ["Pod web: accepted. Kubernetes creates this Pod as it is. It runs with gvisor."],
    daemonset: [
      "DaemonSet log-collector: accepted. Kubernetes creates this DaemonSet as it is.",
      "Pods of DaemonSet log-collector: mutated. Kubernetes creates its Pods with another RuntimeClass. They run with containerd-kata.",
    ],
    "deployment-fallback": [
      "Deployment shop: accepted. Kubernetes creates this Deployment as it is.",
      "Pods of Deployment shop: mutated. Kubernetes creates its Pods with another RuntimeClass. They run with containerd-kata.",
    ],
    "deployment-rejected": [
      "Deployment shop: rejected. Kubernetes does not create this Deployment.",
      "Pods of Deployment shop: rejected. Kubernetes does not create its Pods.",
    ],
    overhead: ["Pod web: mutated. Kubernetes creates this Pod with another RuntimeClass. It runs with kata."],
    update: ["Pod web: accepted. Kubernetes updates this Pod as it is. It runs with containerd-runc."],
    mirror: ["Pod etcd-node-1: accepted. Kubernetes creates this Pod as it is. It runs on the default runtime of the node."],
    windows: ["Pod web: notAsked. Kubernetes creates this Pod without asking the policy: its matchConditions leave the request out."],
    "host-network": ["Pod web: mutated. Kubernetes creates this Pod with another RuntimeClass. It runs with containerd-kata."],
    "missing-class": ["Pod web: rejected. Kubernetes does not create this Pod."],
    "allow-list": ["Pod web: rejected. Kubernetes does not create this Pod."],
    "not-granted": ["Pod web: accepted. Kubernetes creates this Pod as it is. It runs with containerd-runc."],
    failing: ["Pod web: rejected. Kubernetes does not create this Pod. The policy can't decide: an operator has to fix the cause."],
  });
});

const STATE = exampleOf("handler")!.state;

const manifest = (spec: string) => `apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {name: p}
spec:
  mutating: true
  settings: {reservedRuntimes: [runc], fallbackRuntime: containerd-kata}
  contextAwareResources: [{apiVersion: node.k8s.io/v1, kind: RuntimeClass}]
  rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
${spec}`;

test("rules that list Pods alone leave a DaemonSet out, and its Pods are judged", () => {
  expect(inWords({ ...exampleOf("daemonset")!.state, settings: manifest("") })).toEqual([
    "DaemonSet log-collector: notAsked. Kubernetes creates this DaemonSet without asking the policy: its rules do not list CREATE of daemonsets.",
    "Pods of DaemonSet log-collector: mutated. Kubernetes creates its Pods with another RuntimeClass. They run with containerd-kata.",
  ]);
});

test("selectors and match conditions leave a request out", () => {
  const why = (spec: string, state: Partial<State> = {}) => inWords({ ...STATE, settings: manifest(spec), ...state })[0]?.replace(/^.*its /, "");
  const selector = "  namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [team-a]}]}\n";
  expect(why(selector, { namespace: "team-a" })).toBe("namespaceSelector leaves out the namespace team-a.");
  expect(why("", { namespace: "kubewarden" })).toBe("namespaceSelector leaves out the namespace kubewarden.");
  expect(why("  objectSelector: {matchLabels: {app: other}}\n")).toBe("objectSelector does not select the labels.");
  expect(why("  matchConditions: [{name: none, expression: \"request.operation == 'UPDATE'\"}]\n")).toBe("matchConditions leave the request out.");
});

test("a match condition that fails rejects, unless the failure policy is Ignore", () => {
  const condition = "  matchConditions: [{name: os, expression: object.spec.os.name == 'linux'}]\n";
  const judged = (spec: string) => verdictsOf({ ...STATE, settings: manifest(spec) })[0]!.own.judged;
  expect(judged(condition)).toMatchObject({ answer: { allowed: false, message: "match condition 'os' fails: no such key: os" } });
  expect(judged(`${condition}  failurePolicy: Ignore\n`)).toEqual({ leftOut: "matchConditions" });
});

test("a match condition that can't be evaluated is named, and taken as true", () => {
  const { scope } = readSettings(manifest("  matchConditions: [{name: odd, expression: '1 +'}]\n"));
  expect(scope.conditions.notEvaluated.map(({ name }) => name)).toEqual(["odd"]);
  const [verdicts] = verdictsOf({ ...STATE, settings: manifest("  matchConditions: [{name: auth, expression: \"authorizer.group('').check()\"}]\n") });
  expect(verdicts!.own.outcome).toBe("mutated");
  expect(verdicts!.own.judged).toMatchObject({ notEvaluated: [{ name: "auth" }] });
});

test("a policy that may not mutate rejects instead, as policy-server does", () => {
  const [verdicts] = verdictsOf({ ...STATE, settings: manifest("").replace("mutating: true", "mutating: false") });
  expect(verdicts!.own.judged).toMatchObject({
    answer: {
      allowed: false,
      message:
        "Request rejected by policy clusterwide-p. The policy attempted to mutate the request, but it is currently configured to not allow mutations.",
    },
  });
});

test("a DELETE has the object as the old one, and is accepted", () => {
  expect(inWords({ ...STATE, operation: "DELETE" })).toEqual(["Pod web: accepted. The policy accepts every DELETE."]);
});

test("other kinds are not judged, several documents each are, and an object without a kind is named", () => {
  const workload = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {}\n---\nmetadata: {}\n";
  expect(inWords({ ...STATE, workload })).toEqual([
    "Service s: accepted. The policy does not judge objects of kind Service.",
    "Pod p: mutated. Kubernetes creates this Pod with another RuntimeClass. It runs with containerd-kata.",
  ]);
  expect(readWorkloads(workload, DEFAULTS).problems.map(({ message }) => message)).toEqual(["kind: missing field"]);
});

test("an AdmissionReview has its own operation, user and namespace, and what is null in it is left out", () => {
  const request = {
    uid: "7",
    kind: { group: "", version: "v1", kind: "Pod" },
    operation: "UPDATE",
    namespace: "team-b",
    userInfo: { username: "admin" },
    object: { metadata: { name: "a" }, spec: { runtimeClassName: "x" } },
    oldObject: null,
    other: 1,
  };
  const { workloads, isRecorded } = readWorkloads(JSON.stringify({ kind: "AdmissionReview", request }), DEFAULTS);
  const { oldObject: _, other: __, ...passedOn } = request;
  expect(isRecorded).toBe(true);
  expect(workloads[0]!.subject).toMatchObject({ operation: "UPDATE", namespace: "team-b", user: { username: "admin" } });
  expect(JSON.parse(workloads[0]!.subject.recorded!)).toEqual(passedOn);
});

test("the README's links to examples open examples", () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const linked = [...readme.matchAll(/#example=([\w-]+)/g)].map(([, id]) => id!);
  expect(linked.filter((id) => exampleOf(id) === undefined)).toEqual([]);
  expect(linked.length).toBeGreaterThanOrEqual(3);
});
