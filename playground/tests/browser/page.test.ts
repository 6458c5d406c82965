/** The page under a visitor's hands. */
import { mkdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { AxeBuilder } from "@axe-core/playwright";
import type { Response } from "playwright-core";
import { expect, inject, test } from "vitest";
import { EXAMPLES, exampleOf, FIRST } from "../../src/examples.ts";
import { OLD_LINKS } from "../oldLinks.ts";
import { cards, follow, openAll, type, usePages } from "./page.ts";

const open = usePages();

const verdict = "#verdict ~ .cards";

test("a visitor sees an example and its verdict at once", async () => {
  const page = await open();
  expect(await page.getByLabel("Example").inputValue()).toBe(FIRST);
  expect(await page.locator(`${verdict} .word`).innerText()).toBe("Mutated");
});

test("the first visit loads at most 450 KB, and each core comes when it is needed", async () => {
  const context = await (await open()).context().browser()!.newContext();
  const page = await context.newPage();
  const bodies: Promise<[string, number]>[] = [];
  const nameOf = (response: Response) => new URL(response.url()).pathname.replace(/-[\w-]{8}\./, ".");
  const sizeOf = async (response: Response) => gzipSync(await response.body(), { level: 9 }).length;
  page.on("response", (response) => void bodies.push(sizeOf(response).then((size) => [nameOf(response), size])));
  const loaded = async () => Object.fromEntries(await Promise.all(bodies.splice(0)));

  await page.goto(inject("url"));
  await page.waitForSelector("html[data-ready]");
  expect(await page.locator(`${verdict} .word`).innerText()).toBe("Mutated");
  const first = await loaded();
  expect(Object.keys(first).toSorted()).toEqual(["/", "/assets/index.css", "/assets/index.js", "/assets/policy.wasm"]);
  expect(Object.values(first).reduce((sum, size) => sum + size)).toBeLessThanOrEqual(450_000);

  await follow(page, "#example=update");
  expect(Object.keys(await loaded())).toEqual(["/assets/core.wasm"]);
  await follow(page, "#example=windows");
  expect(Object.keys(await loaded())).toEqual(["/assets/core-cel.wasm"]);
  await context.close();
});

test("typing changes the verdict, and there is no button to press", async () => {
  const page = await open("#example=daemonset");
  await type(page, "Settings", "reservedRuntimes: [runc]\ndefaultRuntimeReserved: true\n");
  expect((await cards(page)).map(({ outcome, title, message }) => [outcome, title, message])).toEqual([
    ["rejected", "DaemonSet log-collector", "Usage of the default runtime is reserved"],
    ["rejected", "Pods of DaemonSet log-collector", "Usage of the default runtime is reserved"],
  ]);
  await type(page, "Settings", "reservedRuntimes: [runc]\n");
  expect((await cards(page)).map(({ outcome }) => outcome)).toEqual(["accepted", "accepted"]);
  expect(new URL(page.url()).hash).toBe("");
  expect(await page.getByLabel("Example").inputValue()).toBe("");
});

test("the verdict is said to people who do not see it", async () => {
  const page = await open("#example=no-class-rejected");
  const live = page.getByRole("status");
  await expect.poll(() => live.innerText()).toBe("Pod web: Rejected. Kubernetes does not create this Pod.");
  await type(page, "Settings", "");
  await expect.poll(() => live.innerText()).toMatch(/^Pod web: Accepted\./);
});

test("what is wrong with settings is shown at their line, in the policy's words", async () => {
  const page = await open("#example=handler");
  await type(page, "Settings", "fallbackRuntime: kata\nmatchHandlers: 1\n");
  const problem = "matchHandlers: expected true or false, got 1";
  expect(await page.locator(".problems:visible").innerText()).toBe(`line 2${problem}`);
  expect(await page.locator(`${verdict} .sentence`).innerText()).toBe(problem);
  expect(await page.locator(".cm-lintRange-error").innerText()).toBe("matchHandlers");
});

test("what is wrong with YAML is shown at its line", async () => {
  const page = await open("#example=handler");
  await type(page, "Workload", "apiVersion: v1\nkind: [Pod\n");
  expect(await page.locator(".problems:visible").innerText()).toMatch(/^line [23]did not find expected/);
  expect(await page.locator(`${verdict} h3`).innerText()).toBe("The workload can't be read");
});

test("the form and the YAML of the settings are in step", async () => {
  const page = await open("#example=no-class-rejected");
  const code = page.getByRole("textbox", { name: "Settings" });
  await page.getByLabel("Fallback runtime", { exact: true }).fill("containerd-kata");
  await page.getByLabel("Match handlers", { exact: true }).selectOption("No");
  expect((await code.innerText()).trim().split("\n")).toEqual([
    "reservedRuntimes: [runC]",
    "defaultRuntimeReserved: true",
    "fallbackRuntime: containerd-kata",
    "matchHandlers: false",
  ]);
  expect((await cards(page)).map(({ outcome }) => outcome)).toEqual(["mutated"]);
  await type(page, "Settings", "allowedRuntimes: [a, b]\n");
  expect(await page.getByLabel("Allowed runtimes", { exact: true }).inputValue()).toBe("a, b");
  await page.getByLabel("Allowed runtimes", { exact: true }).fill("");
  expect((await code.innerText()).trim()).toBe("");
});

test("the diff keeps the comments of the manifest", async () => {
  const page = await open("#example=overhead");
  const diff = page.getByRole("textbox", { name: "Change of Pod web" });
  const text = await diff.innerText();
  expect(text).toContain("disk: ssd # your own");
  expect(await diff.locator(".cm-changedLine").allInnerTexts()).toEqual(["  runtimeClassName: kata"]);
});

test("the switch and a policy's contextAwareResources decide on access", async () => {
  const page = await open("#example=handler");
  await page.getByLabel("can't be read").check();
  expect((await cards(page))[0]).toMatchObject({ outcome: "error", code: 500 });
  await page.getByLabel("not granted").check();
  expect((await cards(page))[0]).toMatchObject({ outcome: "accepted" });
  const policy = "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: p}\nspec: {mutating: true, settings: {reservedRuntimes: [runc]}, rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]}\n";
  await page.getByLabel("granted", { exact: true }).check();
  await type(page, "Settings", policy);
  expect((await cards(page))[0]).toMatchObject({ outcome: "accepted" });
  expect(await page.getByLabel("can't be read").isDisabled()).toBe(true);
});

test("an update has the object before it", async () => {
  const page = await open("#example=no-class-rejected");
  await page.getByText("Request details").click();
  await page.getByLabel("Operation").selectOption("UPDATE");
  expect((await cards(page))[0]).toMatchObject({ outcome: "accepted" });
  await type(page, "Object before the update", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {runtimeClassName: other}\n");
  expect((await cards(page))[0]).toMatchObject({ outcome: "rejected" });
});

test("a link restores the state, and says what it contains", async () => {
  const page = await open("#example=update");
  await type(page, "Settings", "reservedRuntimes: [é]\n# mine\n");
  await page.getByRole("button", { name: "Copy a link" }).click();
  const input = page.getByLabel("Link to this page");
  await expect.poll(() => input.inputValue()).toMatch(/#v1=[\w-]+$/);
  const link = await input.inputValue();
  expect(await page.getByText("The link contains what you typed.").isVisible()).toBe(true);

  const other = await open(link);
  expect(await other.getByRole("textbox", { name: "Settings" }).innerText()).toContain("# mine");
  expect(await cards(other)).toEqual(await cards(page));
});

test.each(OLD_LINKS)("an old link still opens", async ({ fragment, state }) => {
  const page = await open(fragment);
  expect((await page.getByRole("textbox", { name: "Workload" }).innerText()).trim()).toBe(state.workload!.trim());
  expect(await page.getByLabel("not granted").isChecked()).toBe(true);
});

test("a damaged link shows an error, and the page works", async () => {
  const page = await open("#v1=AAAA");
  expect(await page.getByRole("alert").innerText()).toBe("The link can't be opened: this link is incomplete or damaged.");
  expect(await cards(page)).toHaveLength(1);
});

test("an example has an address, and the address opens it", async () => {
  const page = await open();
  await page.getByLabel("Example").selectOption({ label: "What happens to my DaemonSet?" });
  expect(new URL(page.url()).hash).toBe("#example=daemonset");
  await page.evaluate("location.hash = '#example=mirror'");
  await expect.poll(() => page.getByLabel("Example").inputValue()).toBe("mirror");
});

test("the policy to apply has the settings", async () => {
  const page = await open("#example=allow-list");
  await page.getByText("The ClusterAdmissionPolicy, ready to apply").click();
  const manifest = await page.locator("details:has-text('ready to apply') pre").innerText();
  expect(manifest).toContain("allowedRuntimes: [containerd-kata*, runsc]");
  await type(page, "Settings", manifest);
  expect((await cards(page))[0]).toMatchObject({ outcome: "rejected", message: "runtime 'containerd-runc' is not allowed" });
});

test("the same policy for the API server itself is taken along", async () => {
  const page = await open("#example=handler");
  await page.getByText("The same inside the API server").click();
  const native = page.locator("details:has-text('inside the API server') pre");
  await expect.poll(() => native.innerText()).toContain("kind: MutatingAdmissionPolicy");
  expect(await native.innerText()).toContain("kind: ValidatingAdmissionPolicyBinding");
  await type(page, "Settings", "{}");
  await expect.poll(() => native.innerText()).toMatch(/^# /);
});

test("what the API server itself refuses is told in its words", async () => {
  const page = await open("#example=missing-class");
  const text = await page.locator(".kubectl").innerText();
  expect(text).toBe('Error from server: pods "web" is forbidden: pod rejected: RuntimeClass "ghost" not found');
  expect((await cards(page))[0]).toMatchObject({ outcome: "refused", code: null, kwctl: null });
});

test("several policies are asked one after the other", async () => {
  const page = await open("#example=windows");
  const text = await page.getByRole("textbox", { name: "Settings" }).innerText();
  const other = exampleOf("windows")!.state.settings.replace("sandbox-for-linux", "another").replace("runc]", "containerd-kata]").replace("fallbackRuntime: containerd-kata", "fallbackRuntime: gvisor").replace(/ {2}matchConditions:[^]*?windows'"\n/, "");
  expect(text).toContain("sandbox-for-linux");
  await type(page, "Settings", `${exampleOf("windows")!.state.settings}---\n${other}`);
  await type(page, "RuntimeClasses", exampleOf("other-class")!.state.classes);
  await type(page, "Workload", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {runtimeClassName: containerd-kata, containers: [{name: c, image: i}]}\n");
  expect((await cards(page))[0]).toMatchObject({ outcome: "mutated", warnings: ["runtime 'containerd-kata' is reserved: this Pod will run with 'gvisor'"] });
  expect(await page.getByText("The same with kwctl, policy another").count()).toBe(1);
});

test("everything is reached by keyboard, and an editor does not keep the focus", async () => {
  const page = await open();
  const seen = new Set<string>();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    seen.add(await page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.slice(0, 40)"));
  }
  const wanted = ["Skip to the verdict", "Switch to dark colors", "One workload", "Settings in YAML, or ClusterAdmissionPolicies", "Workload in YAML or JSON", "RuntimeClasses in YAML or JSON", "Copy a link", "Download this page as one file"];
  expect(wanted.filter((each) => !seen.has(each))).toEqual([]);

  await page.getByRole("tab", { name: "One workload" }).focus();
  await page.keyboard.press("ArrowRight");
  expect(await page.getByRole("tab", { name: "My cluster" }).getAttribute("aria-selected")).toBe("true");
});

test("the colors follow the system, and the visitor's choice lasts", async () => {
  const page = await open("", { theme: "dark" });
  const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
  const dark = await ground();
  await page.getByRole("button", { name: "Switch to light colors" }).click();
  const light = await ground();
  expect(light).not.toBe(dark);
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  expect(await ground()).toBe(light);
});

test("the module's version and digest are shown", async () => {
  const page = await open();
  const { createHash } = await import("node:crypto");
  const { readFileSync } = await import("node:fs");
  const read = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url));
  const version = /^version = "(.*)"$/m.exec(read("Cargo.toml").toString())![1];
  expect(await page.locator("#digest").innerText()).toBe(createHash("sha256").update(read("policy.wasm")).digest("hex"));
  expect(await page.locator("footer").innerText()).toContain(`pod-runtime-class-policy ${version}, `);
});

const ADDRESSES = ["#example=handler", "#example=deployment-fallback", "#example=invalid-settings", "#cluster"];

const SCREENS = [360, 1280, 3840].flatMap((width) => (["light", "dark"] as const).map((theme) => ({ width, theme })));

test.each(SCREENS)("at $width pixels in $theme colors, nothing is cut off, and axe finds nothing", async ({ width, theme }) => {
  mkdirSync("screenshots", { recursive: true });
  const page = await open("", { width, height: Math.min(Math.round(width * 0.6 + 500), 2160), theme });
  const found: unknown[] = [];
  for (const address of ADDRESSES) {
    await follow(page, address);
    const name = address.replace(/^#(?:example=)?/, "");
    await page.screenshot({ path: `screenshots/${width}-${theme}-${name}.png` });
    await openAll(page);
    const cutOff = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    const { violations } = await new AxeBuilder({ page }).analyze();
    const nodes = violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
    found.push(...(cutOff === 0 ? [] : [`${name}: ${cutOff} pixels are cut off`]), ...nodes);
  }
  expect(found).toEqual([]);
});

test("the examples of the table are the examples of the page", async () => {
  const page = await open();
  const options = await page.getByLabel("Example").locator("option").allInnerTexts();
  expect(options).toEqual(["Your own", ...EXAMPLES.map(({ title }) => title)]);
});
