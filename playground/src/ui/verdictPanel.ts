/** The verdict: what happens, what kubectl shows, what changes. */
import { stringify } from "yaml";
import type { KnownPolicy, Question, Reviewed } from "../answers.ts";
import { script } from "../export/kwctlScript.ts";
import { yamlDiff } from "../input/patch.ts";
import { nodeAt, writeJson } from "../input/yaml.ts";
import { VERSION } from "../module.ts";
import type { Access, Exchange } from "../policy/capabilities.ts";
import { SIGNS, WORDS, type Verdict } from "../verdict.ts";
import { diffView } from "./editor.ts";
import { copyButton, el, fill, type Child } from "./el.ts";
import { icon } from "./icon.ts";

/** What the panel needs to show a verdict, beside it. */
export interface Shown {
  verdicts: readonly Verdict[];
  /** The workload as it was typed. */
  text: string;
  policies: readonly KnownPolicy[];
  access: Access;
  notes: readonly string[];
}

/** What can't be decided, and why. */
export interface Undecided {
  outcome: "rejected" | "notAsked";
  title: string;
  message: string;
}

export interface VerdictPanel {
  element: HTMLElement;
  show(shown: Shown | Undecided): void;
}

/** More cards than this are for the other view. */
const MOST = 20;

export function verdictPanel(): VerdictPanel {
  const cards = el("div", { class: "cards" });
  const heading = el("h2", { id: "verdict", tabindex: "-1" }, "Verdict");
  const element = el("section", { class: "verdict", "aria-labelledby": "verdict" }, heading, cards);
  // Details that are open stay open while the visitor types.
  const open = new Set<string>();

  return {
    element,
    show(shown) {
      if ("title" in shown) return fill(cards, undecided(shown));
      const all = shown.verdicts.map((verdict) => card(verdict, shown, open));
      const rest = all.length - MOST;
      const more = rest > 0 && el("p", { class: "hint" }, `${rest} more. "My cluster" takes any number of objects.`);
      fill(cards, ...all.slice(0, MOST), more, ...shown.notes.map((note) => el("p", { class: "note" }, note)));
    },
  };
}

function undecided({ outcome, title, message }: Undecided): HTMLElement {
  const sentence = message && el("p", { class: "sentence" }, message);
  return el("article", { class: `card ${outcome}` }, el("h3", {}, icon(outcome), el("span", {}, title)), sentence);
}

function card(verdict: Verdict, shown: Shown, open: Set<string>): HTMLElement {
  const { outcome, title, sentence, reviewed, object, patch, place } = verdict;
  const sign = SIGNS[outcome];
  const heading = el("h3", {}, icon(sign), el("span", { class: "word" }, WORDS[outcome]), el("span", { class: "object" }, title));
  const parts: Child[] = [heading, el("p", { class: "sentence" }, sentence)];
  if (outcome !== "notAsked") {
    parts.push(kubectl(reviewed, shown.policies));
    if (reviewed.detail) parts.push(el("p", { class: "note" }, `The message is the policy's spec.message. The policy itself says: ${reviewed.detail}`));
    if (patch.length > 0) {
      const [before, after] = yamlDiff(place && nodeAt(shown.text, place), object, shown.text, patch);
      parts.push(diffView(`Change of ${title}`, before, after));
    }
    parts.push(lookFirst(reviewed), ...details(verdict, shown, open));
  }
  return el("article", { class: `card ${sign}`, "data-outcome": outcome, "data-code": reviewed.code ?? undefined }, ...parts);
}

/** What a Pod uses that it may not have in its new class. */
function lookFirst({ fields = [] }: Reviewed): HTMLElement | undefined {
  const items = fields.map(({ path, value, why }) => el("li", {}, el("code", {}, `${path}: ${value}`), ` ${why}`));
  return items.length === 0 ? undefined : el("div", { class: "uses" }, el("p", {}, "Look at these first:"), el("ul", {}, ...items));
}

/** The words that kubectl shows. */
function kubectl({ outcome, message, policy, questions }: Reviewed, policies: readonly KnownPolicy[]): HTMLElement | undefined {
  const warnings = questions.flatMap(({ answer }) => answer?.warnings ?? []);
  const lines = warnings.map((warning) => el("p", { class: "warning" }, el("b", {}, "Warning: "), warning));
  if (outcome === "refused" || outcome === "rejected" || outcome === "error") {
    const webhook = policies.find(({ name }) => name === policy)?.id ?? "clusterwide-pod-runtime-class";
    const denied = outcome !== "refused" && `admission webhook "${webhook}.kubewarden.admission" denied the request: `;
    lines.push(el("p", { class: "error" }, el("b", {}, "Error from server: "), denied, el("strong", {}, message ?? "")));
  }
  return lines.length === 0 ? undefined : el("div", { class: "kubectl", role: "group", "aria-label": "What kubectl shows" }, ...lines);
}

function details({ title, patch, reviewed: { questions } }: Verdict, shown: Shown, open: Set<string>): HTMLElement[] {
  const section = (name: string, summary: string, content: () => Child[]) => disclosure(name, title, summary, content, open);
  const annotations = Object.assign({}, ...questions.map(({ answer }) => answer?.audit_annotations ?? {}));
  const calls = questions.flatMap(({ exchanges }) => exchanges);
  const kwctl = (question: Question) => {
    const isOnly = questions.length === 1;
    const [name, summary] = isOnly ? ["kwctl", "The same with kwctl"] : [`kwctl-${question.policy}`, `The same with kwctl, policy ${question.policy}`];
    return section(name, summary, () => [code(script(question, accessOf(question, shown), VERSION), "Copy the commands")]);
  };
  return [
    Object.keys(annotations).length > 0 && section("audit", "Audit annotations", () => [code(stringify(annotations))]),
    calls.length > 0 && section("calls", `Host calls: ${calls.length}`, () => [el("ol", { class: "calls" }, ...calls.map(call))]),
    calls.length === 0 && questions.length > 0 && el("p", { class: "hint" }, "No host calls: the answer does not depend on the cluster."),
    patch.length > 0 && section("patch", "JSON patch", () => [code(writeJson(patch, 2), "Copy the patch")]),
    ...questions.map(kwctl),
  ].filter((each) => each !== false);
}

function accessOf({ policy }: Question, { policies, access }: Shown): Access {
  return policies.find(({ name }) => name === policy)?.readsClasses === false ? "not-granted" : access;
}

/** A part that is filled when it is opened first. */
function disclosure(name: string, title: string, summary: string, content: () => Child[], open: Set<string>): HTMLElement {
  const key = `${title}/${name}`;
  const body = el("div", {});
  const element = el("details", { class: "more", "data-part": name, open: open.has(key), ontoggle: toggled }, el("summary", {}, summary), body);
  function toggled() {
    if (element.open) open.add(key);
    else open.delete(key);
    if (element.open && !body.hasChildNodes()) fill(body, ...content());
  }
  return element;
}

function call({ asked, answer }: Exchange): HTMLElement {
  const told = "error" in answer ? answer.error.split("\n", 1)[0]!.replace(/ \(Status \{.*/, "") : `handler ${JSON.parse(answer.payload).handler}`;
  return el("li", {}, el("code", {}, `get_resource ${asked.kind} ${asked.name}`), el("span", { class: "told" }, told));
}

function code(text: string, copy?: string): HTMLElement {
  const pre = el("pre", { tabindex: "0" }, el("code", {}, text.trimEnd()));
  return el("div", { class: "code" }, pre, copy !== undefined && copyButton(() => text, copy));
}
