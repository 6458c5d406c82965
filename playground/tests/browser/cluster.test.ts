/** A whole cluster under a visitor's hands. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Page } from "playwright-core";
import { stringify } from "yaml";
import { rehearse } from "../../src/rehearsal/rehearsal.ts";
import type { Report } from "../../src/rehearsal/report.ts";
import { dump } from "../dump.ts";
import { POLICY } from "../unit/module.ts";
import { evaluate, MODULE } from "./evaluator.ts";
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
  const all = await page.locator(".figure").all();
  const entries = await Promise.all(all.map(async (each) => [await each.getAttribute("data-outcome"), await each.locator("dd").innerText()]));
  return Object.fromEntries(entries);
}

test("10,000 Pods are judged while the page answers", async () => {
  const page = await open("#cluster");
  await type(page, "Settings", SETTINGS);
  await page.setInputFiles("input[type=file]", fileOf(10_000));
  await page.getByText(/of 10,003 objects/).waitFor();
  // The page is in use while the worker works.
  await page.getByRole("tab", { name: "One workload" }).click();
  expect(await page.locator(".cards .word").first().isVisible()).toBe(true);
  await page.getByRole("tab", { name: "My cluster" }).click();
  expect(await page.locator("progress").isVisible()).toBe(true);
  await page.locator(".figures").waitFor({ timeout: 240_000 });
  expect(await figures(page)).toEqual({ rejected: "2,000", mutated: "4,000", accepted: "4,000" });
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
  expect(await first.locator("li").allInnerTexts()).toEqual([
    "Class containerd-runc 4 workloads name it, and none keeps it.",
    "Class ghost 4 workloads name it, and none keeps it.",
    "team-0 DaemonSet/app-0 is moved to kata and uses spec.hostNetwork, spec.nodeSelector[runtime]: runc (the class needs kata)",
    "team-3 DaemonSet/app-10 is moved to kata and uses spec.hostNetwork, spec.nodeSelector[runtime]: runc (the class needs kata)",
  ]);
  await type(page, "Settings", "allowedRuntimes: [kata]\n");
  await expect.poll(() => figures(page)).toEqual({ rejected: "96", mutated: "0", accepted: "64" });
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

test.each([
  ["settings alone", SETTINGS, ["--settings-path"]],
  ["a policy", POLICY_TEXT, ["--policy"]],
])("the report is the evaluator's, with %s", async (_, text, flag) => {
  const file = fileOf(400);
  const settings = join(folder(), "settings.yml");
  writeFileSync(settings, text);
  const { stdout, stderr } = await evaluate("rehearse", MODULE, ...flag, settings, "--output", "json", file);
  expect(stderr).toBe("");
  const { report } = rehearse(POLICY, text, [{ file, text: JSON.stringify(dump(400)) }], () => {});
  expect(report).toEqual(JSON.parse(stdout));
});

test("the report of recorded objects is the evaluator's", async () => {
  const data = new URL("../../../test_data/rehearse/", import.meta.url).pathname;
  const [file, policy] = [`${data}cluster.yml`, `${data}policy.yml`];
  const { stdout } = await evaluate("rehearse", MODULE, "--policy", policy, "--output", "json", file);
  const { report } = rehearse(POLICY, readFileSync(policy, "utf8"), [{ file, text: readFileSync(file, "utf8") }], () => {});
  // Each parser has its own words for broken text, and the page says "this page" where the command says "this rehearsal".
  const figures = ({ unreadable, notes, ...rest }: Report) => ({ ...rest, unreadable: unreadable.length, notes: notes.length });
  expect(figures(report)).toEqual(figures(JSON.parse(stdout)));
  expect(report.notes.at(-1)).toBe(JSON.parse(stdout).notes.at(-1));
});
