import { expect, test } from "vitest";
import { parse } from "yaml";
import { readClasses } from "../../src/input/classes.ts";
import { rehearse } from "../../src/rehearsal/rehearsal.ts";
import type { Workload } from "../../src/rehearsal/report.ts";
import { dump } from "../dump.ts";
import { POLICY } from "./module.ts";

const SETTINGS = "reservedRuntimes: [runc]\nfallbackRuntime: kata\ndefaultRuntimeReserved: true\n";

const CLASSES = `apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: plain}
handler: runc
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: kata}
handler: kata
scheduling: {nodeSelector: {runtime: kata}}
---
`;

const run = (text: string, settings = SETTINGS) => rehearse(POLICY, settings, [{ file: "input", text }], () => {});
const reportOf = (text: string, settings?: string) => run(text, settings).report;

const shown = ({ namespace, kind, name, pods, templates, outcome, to, message }: Workload) =>
  `${namespace} ${kind}/${name} ${pods}+${templates} ${outcome} ${to} ${message}`;
const rowsOf = (text: string, settings?: string) => reportOf(text, settings).workloads.map(shown);

const pod = (name: string, owner: string, spec = "containers: []", labels = "") => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: a${labels}${owner && `, ownerReferences: [{${owner}, controller: true}]`}}
spec: {${spec}}
---
`;

test("Pods of one controller are one row, and a controller of a controller is found", () => {
  const maker = (kind: string, name: string, owner: string) =>
    `apiVersion: ${kind === "Job" ? "batch" : "apps"}/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: a, ownerReferences: [{${owner}, controller: true}]}\n---\n`;
  const text = [
    CLASSES,
    pod("web-6f-1", "kind: ReplicaSet, name: web-6f", undefined, ", labels: {pod-template-hash: 6f}"),
    pod("web-6f-2", "kind: ReplicaSet, name: web-6f", undefined, ", labels: {pod-template-hash: 6f}"),
    maker("Job", "nightly-1", "kind: CronJob, name: nightly"),
    pod("nightly-1-x", "kind: Job, name: nightly-1"),
    maker("ReplicaSet", "shop-1", "kind: Deployment, name: shop"),
    pod("shop-1-x", "kind: ReplicaSet, name: shop-1"),
    pod("alone", ""),
  ].join("");
  expect(rowsOf(text)).toEqual([
    "a CronJob/nightly 1+0 mutated kata null",
    "a Deployment/shop 1+0 mutated kata null",
    "a Deployment/web 2+0 mutated kata null",
    "a Pod/alone 1+0 mutated kata null",
    "a CronJob/nightly 0+1 accepted null null",
    "a Deployment/shop 0+1 accepted null null",
  ]);
});

test("a template is judged as itself and as the Pod that it makes", () => {
  const deployment = (name: string, spec: string) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: a}\nspec: {template: {spec: {${spec}}}}\n---\n`;
  const text = CLASSES + deployment("default", "containers: []") + deployment("named", "runtimeClassName: plain") + deployment("ghost", "runtimeClassName: ghost");
  expect(rowsOf(text)).toEqual([
    "a Deployment/ghost 0+1 rejected null runtime 'ghost' is not a RuntimeClass of this cluster",
    "a Deployment/default 0+1 mutated kata null",
    "a Deployment/named 0+1 mutated kata runtime 'plain' is reserved: the Pods of this Deployment will run with 'kata'",
  ]);
});

test("the report counts by outcome, namespace and class, and what is not judged", () => {
  const text = `${CLASSES}${pod("one", "")}${pod("two", "", "runtimeClassName: kata")}${pod("three", "", "runtimeClassName: ghost")}${pod("four", "", "runtimeClassName: ghost")}apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\nmetadata: {}\n`;
  const { summary, namespaces, classes, notJudged, unreadable, runtimeClasses, notes } = reportOf(text);
  const counts = { judged: 4, accepted: 1, mutated: 1, rejected: 2, errors: 0 };
  expect(summary).toEqual({ ...counts, mutatedTo: { kata: 1 }, unreadable: 1 });
  expect(namespaces).toEqual([{ namespace: "a", ...counts }]);
  expect(classes.map((each) => [each.class, each.judged, each.workloads, each.lookFirst])).toEqual([
    ["(default)", 1, 1, false],
    ["ghost", 2, 2, true],
    ["kata", 1, 1, false],
  ]);
  expect(notJudged).toEqual({ kinds: { "RuntimeClass.node.k8s.io": 2, Service: 1 }, rules: 0, namespaceSelector: 0, objectSelector: 0, matchConditions: 0 });
  expect(unreadable).toEqual([{ file: "input", document: 8, item: null, message: "kind: missing field" }]);
  expect([runtimeClasses, notes]).toEqual([["kata", "plain"], []]);
});

test("the fields that a sandbox takes away are named, for Pods that are moved", () => {
  const spec = [
    "hostNetwork: true, hostPID: true, hostIPC: true",
    "os: {name: windows}, nodeSelector: {runtime: runc}",
    "volumes: [{name: logs, hostPath: {path: /var/log}}]",
    "resourceClaims: [{name: gpu, resourceClaimName: gpu-1}]",
    "containers: [{name: c, securityContext: {privileged: true}, resources: {limits: {nvidia.com/gpu: 1, cpu: 1}}}]",
  ].join(", ");
  const [row] = reportOf(CLASSES + pod("odd", "", spec)).workloads;
  expect(row!.fields).toEqual([
    { path: "spec.hostNetwork", value: "true" },
    { path: "spec.hostPID", value: "true" },
    { path: "spec.hostIPC", value: "true" },
    { path: "spec.containers[c].securityContext.privileged", value: "true" },
    { path: "spec.containers[c].resources.limits[nvidia.com/gpu]", value: "1" },
    { path: "spec.volumes[logs].hostPath", value: "/var/log" },
    { path: "spec.resourceClaims[gpu]", value: "gpu-1" },
    { path: "spec.os.name", value: "windows" },
    { path: "spec.nodeSelector[runtime]", value: "runc (the class needs kata)" },
  ]);
  expect(reportOf(CLASSES + pod("odd", "", `runtimeClassName: kata, ${spec}`)).workloads[0]!.fields).toEqual([]);
});

test("without RuntimeClasses, names alone are compared, and the report says so", () => {
  const { notes, runtimeClasses, summary } = reportOf(pod("one", "", "runtimeClassName: plain"));
  expect(notes).toEqual(["The input has no RuntimeClasses: names alone are compared, not handlers."]);
  expect([runtimeClasses, summary.accepted]).toEqual([null, 1]);
});

test("a policy's manifest limits what is judged", () => {
  const policy = `apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {name: p}
spec:
  mode: monitor
  mutating: true
  settings: {reservedRuntimes: [runc], fallbackRuntime: kata}
  contextAwareResources: [{apiVersion: node.k8s.io/v1, kind: RuntimeClass}]
  rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
  namespaceSelector:
    matchExpressions: [{key: tenant, operator: Exists}, {key: kubernetes.io/metadata.name, operator: NotIn, values: [b]}]
  matchConditions: [{name: not-kata, expression: "!has(object.spec.runtimeClassName) || object.spec.runtimeClassName != 'kata'"}]
`;
  const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {tenant: x}}\n---\n";
  const text = CLASSES + namespace + pod("one", "") + pod("two", "", "runtimeClassName: kata") + pod("three", "").replace("namespace: a", "namespace: c");
  const { policy: named, summary, notJudged, notes } = reportOf(text, policy);
  expect(named).toEqual({ name: "p", settings: { reservedRuntimes: ["runc"], fallbackRuntime: "kata" } });
  expect([summary.judged, summary.mutated]).toEqual([1, 1]);
  expect(notJudged).toMatchObject({ rules: 0, namespaceSelector: 1, matchConditions: 1 });
  expect(notes).toEqual([
    "The policy has mode: monitor. This page shows mode: protect.",
    "The input has no Namespace object for c: the namespaceSelector sees its name alone.",
  ]);
});

test("Lists that leave the kind of their items out are read", () => {
  const text = '{"items":[{"metadata":{"name":"a"},"spec":{}}],"kind":"PodList","apiVersion":"v1"}';
  expect(rowsOf(text)).toEqual(["default Pod/a 1+0 mutated kata null"]);
});

test("broken JSON is named, and settings that are not valid stop the rehearsal", () => {
  expect(reportOf('{"items": [').unreadable).toMatchObject([{ file: "input", document: 1, item: null }]);
  expect(() => reportOf("{}", "reservedRuntimes: 5")).toThrow(
    "The policy does not load with these settings: reservedRuntimes: expected a list of strings, got 5",
  );
});

test("a row has the change of its object", () => {
  const { change } = run(CLASSES + pod("one", "", "runtimeClassName: plain"));
  expect(change(0).map((text) => parse(text).spec)).toEqual([{ runtimeClassName: "plain" }, { runtimeClassName: "kata" }]);
});

test("1,000 Pods have the figures that asking one by one has", () => {
  const objects = (dump(1_000) as { items: Record<string, any>[] }).items;
  const pods = objects.filter(({ kind }) => kind === "Pod");
  const { classes } = readClasses(JSON.stringify(objects.filter(({ kind }) => kind === "RuntimeClass")));
  const answers = pods.map((object) => {
    const request = { uid: "1", kind: { group: "", version: "v1", kind: "Pod" }, operation: "CREATE", userInfo: {}, object };
    return POLICY.evaluate(JSON.stringify(request), JSON.stringify(parse(SETTINGS)), { access: "granted", classes });
  });
  const { judged, mutated, rejected, accepted, errors } = reportOf(JSON.stringify(dump(1_000))).summary;
  expect({ judged, mutated, rejected, accepted, errors }).toEqual({
    judged: 1_000,
    mutated: answers.filter(({ mutatedObject }) => mutatedObject !== undefined).length,
    rejected: answers.filter(({ allowed }) => !allowed).length,
    accepted: answers.filter(({ allowed, mutatedObject }) => allowed && mutatedObject === undefined).length,
    errors: 0,
  });
});

test("the progress goes from none to all", () => {
  const seen: number[] = [];
  rehearse(POLICY, SETTINGS, [{ file: "input", text: JSON.stringify(dump(8)) }], (done, total) => void seen.push(done / total));
  expect([seen[0], seen.at(-1), seen.length]).toEqual([0, 1, 12]);
});
