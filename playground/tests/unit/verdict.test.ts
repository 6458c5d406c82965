import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EXAMPLES, exampleOf } from "../../src/examples.ts";
import { DEFAULTS, type State } from "../../src/state.ts";
import { verdictsOf } from "../../src/verdict.ts";
import { REQUESTS } from "../requests.ts";
import { review } from "./module.ts";

const inWords = (state: State) =>
  review(state).reviews.flatMap(verdictsOf).map(({ title, outcome, sentence }) => `${title}: ${outcome}. ${sentence}`);

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
    "missing-class": ["Pod web: refused. Kubernetes itself refuses to create this Pod."],
    "allow-list": ["Pod web: rejected. Kubernetes does not create this Pod."],
    "not-granted": ["Pod web: accepted. Kubernetes creates this Pod as it is. It runs with containerd-runc."],
    failing: ["Pod web: error. Kubernetes does not create this Pod. The policy can't decide: an operator has to fix the cause."],
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

const ownOf = (settings: string) => review({ ...STATE, settings }).reviews[0]!.own;

test("a match condition that fails rejects, unless the failure policy is Ignore", () => {
  const condition = "  matchConditions: [{name: os, expression: object.spec.os.name == 'linux'}]\n";
  expect(ownOf(manifest(condition))).toMatchObject({ outcome: "error", code: 500, message: "match condition 'os' fails: no such key: os" });
  expect(ownOf(manifest(`${condition}  failurePolicy: Ignore\n`))).toMatchObject({ leftOutBy: "matchConditions", questions: [] });
});

test("a match condition that can't be evaluated is named, and taken as true", () => {
  const notes = (expression: string) => {
    const { reviews, notes } = review({ ...STATE, settings: manifest(`  matchConditions: [{name: odd, expression: "${expression}"}]\n`) });
    expect(reviews[0]!.own.outcome).toBe("mutated");
    return notes.map((note) => note.replace(/, and taken as true: .*/, ""));
  };
  expect(notes("1 +")).toEqual(["Match condition 'odd' is not evaluated"]);
  expect(notes("authorizer.group('').check()")).toEqual(["Match condition 'odd' is not evaluated for 1 request"]);
});

test("a policy that may not mutate rejects instead, as policy-server does", () => {
  expect(ownOf(manifest("").replace("mutating: true", "mutating: false"))).toMatchObject({
    outcome: "rejected",
    message:
      "Request rejected by policy clusterwide-p. The policy attempted to mutate the request, but it is currently configured to not allow mutations.",
  });
});

test("the host answers for the policy that is asked, and its calls are kept with the question", () => {
  const [question] = ownOf(manifest("")).questions;
  expect(question!.exchanges.map(({ asked: { name } }) => name)).toEqual(["containerd-runc", "containerd-kata"]);
  const without = manifest("").replace(/ {2}contextAware.*\n/, "");
  expect(ownOf(without).questions[0]!.exchanges[0]!.answer).toMatchObject({ error: expect.stringContaining("has not been granted access") });
});

test("several policies are asked one after the other, and each sees what the one before left", () => {
  const first = manifest("").replace("name: p", "name: a");
  const second = manifest("").replace("name: p", "name: b").replace(/settings: .*/, "settings: {reservedRuntimes: [kata], fallbackRuntime: gvisor}");
  const classes = `${STATE.classes}---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: gvisor}\nhandler: runsc\n`;
  const { own } = review({ ...STATE, classes, settings: `${second}---\n${first}` }).reviews[0]!;
  expect(own).toMatchObject({ outcome: "mutated", class: "containerd-runc", to: "gvisor", policy: "b" });
  expect(own.questions.map(({ policy, payload }) => [policy, (payload.request.object!.spec as any).runtimeClassName])).toEqual([
    ["a", "containerd-runc"],
    ["b", "containerd-kata"],
  ]);
});

test("a DELETE has the object as the old one, and is accepted", () => {
  expect(inWords({ ...STATE, operation: "DELETE" })).toEqual(["Pod web: accepted. The policy accepts every DELETE."]);
});

test("other kinds are not judged, several documents each are, and an object without a kind is named", () => {
  const workload =
    "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i}]}\n---\nmetadata: {}\n";
  expect(inWords({ ...STATE, workload })).toEqual([
    "Service s: accepted. The policy does not judge objects of kind Service.",
    "Pod p: mutated. Kubernetes creates this Pod with another RuntimeClass. It runs with containerd-kata.",
  ]);
  expect(review({ ...DEFAULTS, workload }).unreadable.map(({ line, message }) => [line, message])).toEqual([[10, "line 10: kind: missing field"]]);
});

test("an update has the object before it: the one of its name, or the only one", () => {
  const pod = (name: string, spec: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {${spec}}\n---\n`;
  const outcome = (oldObject: string) => review({ ...STATE, settings: "reservedRuntimes: [runc]\n", operation: "UPDATE", oldObject }).reviews[0]!.own.outcome;
  expect(outcome(pod("web", "runtimeClassName: containerd-runc"))).toBe("accepted");
  expect(outcome(pod("other", "runtimeClassName: containerd-runc"))).toBe("accepted");
  expect(outcome(pod("other", "runtimeClassName: containerd-runc") + pod("web", "runtimeClassName: gvisor"))).toBe("rejected");
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
  const [found] = review({ ...DEFAULTS, settings: "reservedRuntimes: [x]", workload: JSON.stringify({ kind: "AdmissionReview", request }) }).reviews;
  const { oldObject: _, other: __, ...passedOn } = request;
  expect(found).toMatchObject({ isRecorded: true, own: { operation: "UPDATE", namespace: "team-b" } });
  expect(found!.own.questions.map(({ payload }) => payload.request)).toEqual([passedOn]);
});

test("rules list the subresource of a recorded request", () => {
  const { state } = REQUESTS.find(({ name }) => name.startsWith("deployment-status-update"))!;
  const { own } = review({ ...state, settings: manifest("").replace("resources: [pods]", "resources: [deployments]").replace("CREATE", "UPDATE").replace("['']", "[apps]") }).reviews[0]!;
  expect([own.resource, own.leftOutBy]).toEqual(["deployments/status", "rules"]);
});

test("the README's links to examples open examples", () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const linked = [...readme.matchAll(/#example=([\w-]+)/g)].map(([, id]) => id!);
  expect(linked.filter((id) => exampleOf(id) === undefined)).toEqual([]);
  expect(linked.length).toBeGreaterThanOrEqual(3);
});
