import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { changeOf } from "../../src/verdict.ts";
import type { Rehearsal, Review } from "../../src/answers.ts";
import { dump } from "../dump.ts";
import { bytesOf, CASES, classesOf, differences, policiesOf } from "../field.ts";
import { CORE, POLICY, SMALL_CORE, source } from "./module.ts";

const SETTINGS = "reservedRuntimes: [runc]\nfallbackRuntime: kata\ndefaultRuntimeReserved: true\n";

const CONDITIONS = `apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {name: p}
spec:
  mutating: true
  settings: {reservedRuntimes: [runc]}
  rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
  matchConditions: [{name: none, expression: "false"}]
`;

const rehearse = (text: string, policies = SETTINGS, core = SMALL_CORE): Rehearsal => core.rehearse(policies, [source("input", text)], () => {});

test.each(CASES)("$name", (each) => {
  const named = (names: string[]) => names.map((name) => source(name, bytesOf(name)));
  const { report } = CORE.rehearse(policiesOf(each), named(each.input), () => {}, named(classesOf(each)));
  expect(differences(report, each.report)).toEqual([]);
});

const GUARD = readFileSync(new URL("../../../deploy/native-guard.yml", import.meta.url), "utf8");

test.each([
  ["match conditions", CONDITIONS, 0],
  ["native guards", GUARD, 1],
])("the small core evaluates no %s, and says so", (_, policies, judged) => {
  expect(SMALL_CORE.policies(policies).needsCel).toBe(true);
  expect(() => rehearse(JSON.stringify(dump(1)), policies)).toThrow("the policies have expressions in CEL, and this build has no CEL");
  expect(rehearse(JSON.stringify(dump(1)), policies, CORE).report.summary.judged).toBe(judged);
});

test("the small core asks policies without expressions", () => {
  expect(SMALL_CORE.policies(SETTINGS).needsCel).toBe(false);
});

test("native policies are rendered from the settings and the classes, and what can't be is named", () => {
  const classes = JSON.stringify(dump(0));
  const yaml = CORE.native(CONDITIONS, classes);
  expect(parseAllDocuments(yaml).map((document) => document.get("kind"))).toEqual(["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]);
  const rules = "resources: [pods], operations: [CREATE]";
  expect(() => CORE.native(CONDITIONS.replace(rules, "resources: [services], operations: [CREATE]"), classes)).toThrow(/rules/);
});

test("a fallback that the cluster does not have is one problem, with the classes that it has", () => {
  const { report } = rehearse(JSON.stringify(dump(40)), SETTINGS.replace("kata", "containerd-kata"));
  expect(report.problems).toEqual([
    {
      policy: null,
      message: "fallbackRuntime 'containerd-kata' is not a RuntimeClass of this cluster",
      fallback: "containerd-kata",
      objects: report.summary.errors,
      classes: ["containerd-runc", "gvisor", "kata"],
    },
  ]);
  expect(report.summary.errors).toBe(16);
});

test("a row has the change of its object", () => {
  const { report } = rehearse(JSON.stringify(dump(20)));
  const row = report.workloads.find(({ outcome, class: named }) => outcome === "mutated" && named === "containerd-runc")!;
  const review = JSON.parse(SMALL_CORE.change(row.place)) as Review;
  expect(review.place).toEqual(row.place);
  expect(changeOf(review.own).patch).toEqual([{ op: "replace", path: "/spec/runtimeClassName", value: "kata" }]);
});

test("1,000 Pods have the figures that asking one by one has", () => {
  const objects = (dump(1_000) as { items: Record<string, any>[] }).items;
  const classes = objects.filter(({ kind }) => kind === "RuntimeClass") as never[];
  const settings = { reservedRuntimes: ["runc"], fallbackRuntime: "kata", defaultRuntimeReserved: true };
  const answers = objects
    .filter(({ kind, spec }) => kind === "Pod" && spec.runtimeClassName !== "ghost")
    .map((object) => {
      const request = { uid: "1", kind: { group: "", version: "v1", kind: "Pod" }, operation: "CREATE", userInfo: {}, object };
      const payload = new TextEncoder().encode(JSON.stringify({ request, settings }));
      return JSON.parse(new TextDecoder().decode(POLICY.validate(payload, "granted", classes, [])));
    });
  const { judged, mutated, rejected, refused, accepted, errors } = rehearse(JSON.stringify(dump(1_000))).report.summary;
  expect({ judged, mutated, rejected, refused, accepted, errors }).toEqual({
    judged: 1_000,
    mutated: answers.filter(({ mutated_object }) => mutated_object !== undefined).length,
    rejected: answers.filter(({ accepted }) => !accepted).length,
    // The API server refuses the class that the cluster does not have, before it asks the policy.
    refused: 1_000 - answers.length,
    accepted: answers.filter(({ accepted, mutated_object }) => accepted && mutated_object === undefined).length,
    errors: 0,
  });
});

test("the progress goes to all, and each source is read twice", () => {
  const seen: number[] = [];
  SMALL_CORE.rehearse(SETTINGS, [source("input", JSON.stringify(dump(2_000)))], (share) => void seen.push(share));
  expect([seen.at(-1), seen.filter((share) => share < 0.5).length > 1]).toEqual([1, true]);
});
