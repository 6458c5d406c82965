/** A whole cluster under a visitor's hands. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Page } from "playwright-core";
import { stringify } from "yaml";
import { dump } from "../dump.ts";
import { CASES, classesOf, pathOf, policiesOf } from "../field.ts";
import { CORE, source } from "../unit/module.ts";
import { MODULE, runCommand } from "./command.ts";
import { temporaryFolder, type, usePages } from "./page.ts";

const open = usePages();
const folder = temporaryFolder();

const SETTINGS = "reservedRuntimes: [runc]\nfallbackRuntime: kata\ndefaultRuntimeReserved: true\n";

const POLICY_TEXT = `apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata:
  name: sandboxes
spec:
  module: registry://ghcr.io/kubewarden/policies/pod-runtime-class-policy:v2.0.0
  mutating: true
  settings:
    reservedRuntimes: [runc]
    fallbackRuntime: kata
  rules:
    - apiGroups: ['']
      apiVersions: [v1]
      resources: [pods]
      operations: [CREATE]
  contextAwareResources:
    - apiVersion: node.k8s.io/v1
      kind: RuntimeClass
  matchConditions:
    - name: not-the-fallback
      expression: "!has(object.spec.runtimeClassName) || object.spec.runtimeClassName != 'kata'"
  namespaceSelector:
    matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: NotIn
        values: [team-3]
`;

function fileOf(pods: number): string {
  const file = join(folder(), "cluster.json");
  writeFileSync(file, JSON.stringify(dump(pods)));
  return file;
}

async function figures(page: Page): Promise<Record<string, string>> {
  // At once: the report may be replaced meanwhile.
  const entries = await page.locator(".figure").evaluateAll((all) => all.map((each) => [each.dataset.outcome!, each.querySelector("dd")!.textContent!]));
  return Object.fromEntries(entries);
}

test("10,000 Pods are judged while the page answers", async () => {
  const page = await open("#cluster");
  await type(page, "Settings", SETTINGS);
  await page.setInputFiles("input[type=file]", fileOf(10_000));
  await page.getByText("Judging the objects").waitFor();
  // The page is in use while the worker works.
  await page.getByRole("tab", { name: "One workload" }).click();
  expect(await page.locator(".cards .word").first().isVisible()).toBe(true);
  await page.getByRole("tab", { name: "My cluster" }).click();
  expect(await page.locator("progress").isVisible()).toBe(true);
  await page.locator(".figures").waitFor({ timeout: 240_000 });
  expect(await figures(page)).toEqual({ rejected: "0", refused: "2,000", mutated: "4,000", accepted: "4,000" });
});

test("the report is filtered, and a row opens its change", async () => {
  const page = await open("#cluster");
  await type(page, "Settings", SETTINGS);
  await page.setInputFiles("input[type=file]", fileOf(400));
  await page.locator(".figures").waitFor();
  const rows = page.locator(".rows > li");
  await page.getByLabel("Outcome").selectOption("Mutated");
  await page.getByLabel("Namespace").selectOption("team-1");
  await page.getByLabel("Search").fill("app-1");
  expect(await page.getByText(/of 50 workloads/).innerText()).toBe("2 of 50 workloads");
  expect(await rows.count()).toBe(2);
  await page.getByLabel("Search").fill("containerd-runc");
  await rows.first().locator("summary").click();
  const change = rows.first().getByRole("textbox", { name: /^Change of/ });
  expect(await change.innerText()).toContain("runtimeClassName: containerd-runc");
  expect(await change.locator(".cm-changedLine").allInnerTexts()).toEqual(["  runtimeClassName: kata"]);
});

test("what to look at first is told, and the settings change the report", async () => {
  const page = await open("#cluster");
  await type(page, "Settings", SETTINGS);
  await page.setInputFiles("input[type=file]", fileOf(160));
  const first = page.locator(".first");
  await first.waitFor();
  const daemonSet = (name: string) =>
    `${name} moves to kata.\nspec.hostNetwork The sandbox has a network of its own, not that of the node.\n` +
    "spec.runtimeClassName: kata runs on runtime=kata The DaemonSet controller does not look at the nodes of a class: Pods for other nodes stay Pending, and a rollout hangs.";
  expect(await first.locator("> ul > li").allInnerTexts()).toEqual([
    "Class containerd-runc 4 workloads name it, and none keeps it.",
    "Class ghost 4 workloads name it, and none keeps it.",
    daemonSet("team-0 DaemonSet/app-0"),
    daemonSet("team-3 DaemonSet/app-10"),
  ]);
  await type(page, "Settings", "allowedRuntimes: [kata]\n");
  await expect.poll(() => figures(page)).toEqual({ rejected: "64", refused: "32", mutated: "0", accepted: "64" });
});

test("objects are pasted as well, in YAML, and settings that are not valid are told", async () => {
  const page = await open("#cluster");
  await type(page, "Settings", SETTINGS);
  await page.getByLabel("Or paste them").fill(stringify(dump(8)));
  await page.locator(".figures").waitFor();
  expect(await figures(page)).toEqual({ rejected: "0", mutated: "8", accepted: "0" });
  await type(page, "Settings", "reservedRuntimes: 5\n");
  const message = "The policy does not load with these settings: reservedRuntimes: expected a list of strings, got 5";
  await page.getByRole("alert").waitFor();
  expect(await page.getByRole("alert").innerText()).toBe(message);
});

const FIRST_EXAMPLE = "containerd-kata";

test("what stops everything is said once, and a click on a class of the cluster mends it", async () => {
  const page = await open("#cluster");
  await page.setInputFiles("input[type=file]", fileOf(40));
  const stop = page.locator(".stop");
  await stop.waitFor();
  expect(await stop.innerText()).toContain(`16 objects: fallbackRuntime '${FIRST_EXAMPLE}' is not a RuntimeClass of this cluster.`);
  expect(await stop.getByRole("button").allInnerTexts()).toEqual(["containerd-runc", "gvisor", "kata"]);
  await stop.getByRole("button", { name: "kata" }).click();
  await expect.poll(() => figures(page)).toEqual({ rejected: "0", refused: "8", mutated: "16", accepted: "16" });
  expect(await page.getByRole("textbox", { name: "Settings" }).innerText()).toContain("fallbackRuntime: kata");
  expect(await stop.count()).toBe(0);
});

test("each row shows its reason without being opened", async () => {
  const page = await open("#cluster");
  await type(page, "Settings", SETTINGS);
  await page.setInputFiles("input[type=file]", fileOf(40));
  await page.locator(".figures").waitFor();
  expect(await page.locator(".rows > li .why").allInnerTexts()).toEqual([
    'pod rejected: RuntimeClass "ghost" not found',
    "It names no class, and gets the fallback.",
    "runtime 'containerd-runc' is reserved: this Pod will run with 'kata'",
    "Accepted as it is.",
    "Accepted as it is.",
  ]);
});

const NOT_JUDGED = `apiVersion: v1
kind: Service
metadata: {name: s}
---
apiVersion: v1
kind: Pod
metadata: {name: done}
spec: {containers: [{name: c, image: i}]}
status: {phase: Succeeded}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
---
apiVersion: v1
kind: [Pod
`;

test("what is not judged is named, and so is what can't be read", async () => {
  const page = await open("#cluster");
  await page.getByLabel("Or paste them").fill(NOT_JUDGED);
  await page.locator(".figures").waitFor();
  const lines = await page.locator(".plain li").allInnerTexts();
  expect(lines.slice(0, 2)).toEqual(["not judged: 1 Service, 1 finished Pod", "not judged, for they make Pods that can't be seen here: 1 Workflow.argoproj.io"]);
  expect(lines.at(-1)).toMatch(/^pasted, document 4: line \d+: /);
});

test("several policies are rehearsed together", async () => {
  const page = await open("#cluster");
  const other = POLICY_TEXT.replace("name: sandboxes", "name: general").replace("fallbackRuntime: kata", "fallbackRuntime: gvisor").replace(/ {2}matchConditions:[^]*?'kata'"\n/, "").replace("NotIn", "In");
  await type(page, "Settings", `${POLICY_TEXT}---\n${other}`);
  await page.setInputFiles("input[type=file]", fileOf(160));
  await page.locator(".figures").waitFor();
  expect(await page.locator(".report > .hint").first().innerText()).toMatch(/^Policies general, sandboxes on \d+ objects, as if created now\.$/);
  expect(await page.locator(".figures + .hint").innerText()).toMatch(/^Mutated: \d+ to gvisor, \d+ to kata$/);
});

test("a case of the field has the right report in the page", async () => {
  const page = await open("#cluster");
  const wanted = CASES.find(({ input }) => input.includes("20-yaml11.yml"))!;
  await type(page, "Settings", policiesOf(wanted));
  await page.setInputFiles("input[type=file]", [...wanted.input, ...classesOf(wanted)].map(pathOf));
  await page.locator(".first").waitFor();
  const fields = await page.locator(".first .fields code").allInnerTexts();
  const { summary, workloads } = wanted.report as { summary: object; workloads: { fields: string[] }[] };
  expect(fields.map((field) => field.split(": ", 1)[0])).toEqual(workloads[0]!.fields);
  expect(await figures(page)).toMatchObject(Object.fromEntries(Object.entries(summary).filter(([name]) => name !== "judged").map(([name, count]) => [name, String(count)])));
});

const DATA = new URL("../../../test_data/rehearse/", import.meta.url).pathname;

test.each([
  ["settings alone", SETTINGS, "--settings-path", undefined],
  ["a policy", POLICY_TEXT, "-f", undefined],
  ["recorded objects", readFileSync(`${DATA}policy.yml`, "utf8"), "-f", `${DATA}cluster.yml`],
])("the report is the command's, with %s", async (_, text, flag, recorded) => {
  const file = recorded ?? fileOf(400);
  const policies = join(folder(), "policies.yml");
  writeFileSync(policies, text);
  const { stdout, stderr } = await runCommand("rehearse", file, flag, policies, "--module", MODULE, "-o", "json");
  expect(stderr.split("\n").filter((line) => line !== "" && !line.startsWith("Error: cannot read "))).toEqual([]);
  const { report } = CORE.rehearse(text, [source(file, readFileSync(file))], () => {});
  expect(report).toEqual(JSON.parse(stdout));
});
