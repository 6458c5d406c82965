/** The verdict: what happens, what kubectl shows, what changes. */
import { stringify } from "yaml";
import { yamlDiff } from "../input/patch.ts";
import { writeJson } from "../input/yaml.ts";
import type { Access, Exchange } from "../policy/capabilities.ts";
import type { Answer } from "../policy/policy.ts";
import { script } from "../take/kwctl.ts";
import { OUTCOMES, type Verdict, type Verdicts } from "../verdict.ts";
import { VERSION } from "../module.ts";
import { diffView } from "./editor.ts";
import { copyButton, el, fill, type Child } from "./el.ts";
import { icon } from "./icon.ts";

/** What the panel needs to show a verdict, beside it. */
export interface Shown {
  verdicts: readonly Verdicts[];
  /** The workload as it was typed. */
  text: string;
  settings: string;
  access: Access;
  /** The name of the policy's webhook. */
  webhook: string;
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
      const all = shown.verdicts.flatMap(({ own, pods, workload }) => [
        card(own, shown, workload.typed, open),
        ...(pods ? [card(pods, shown, undefined, open)] : []),
      ]);
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

function card(verdict: Verdict, shown: Shown, typed: Verdicts["workload"]["typed"], open: Set<string>): HTMLElement {
  const { outcome, title, sentence, judged, subject, patch } = verdict;
  const heading = el("h3", {}, icon(outcome), el("span", { class: "word" }, OUTCOMES[outcome]), el("span", { class: "object" }, title));
  const parts: Child[] = [heading, el("p", { class: "sentence" }, sentence)];
  if ("answer" in judged) {
    const { answer } = judged;
    parts.push(kubectl(answer, shown.webhook));
    if (patch.length > 0 && subject.object) {
      const [before, after] = yamlDiff(typed, subject.object, shown.text, patch);
      parts.push(diffView(`Change of ${title}`, before, after));
    }
    for (const { name, why } of judged.notEvaluated) {
      parts.push(el("p", { class: "note" }, `matchCondition ${name} is not evaluated here, and taken as true: ${why}`));
    }
    parts.push(...details(verdict, answer, shown, open));
  }
  const code = "answer" in judged ? judged.answer.code : undefined;
  return el("article", { class: `card ${outcome}`, "data-outcome": outcome, "data-code": code }, ...parts);
}

/** The words that kubectl shows. */
function kubectl({ allowed, message, warnings }: Answer, webhook: string): HTMLElement | undefined {
  const lines = warnings.map((warning) => el("p", { class: "warning" }, el("b", {}, "Warning: "), warning));
  if (!allowed) {
    const denied = `admission webhook "${webhook}.kubewarden.admission" denied the request: `;
    lines.push(el("p", { class: "error" }, el("b", {}, "Error from server: "), denied, el("strong", {}, message ?? "")));
  }
  return lines.length === 0 ? undefined : el("div", { class: "kubectl", role: "group", "aria-label": "What kubectl shows" }, ...lines);
}

function details(verdict: Verdict, answer: Answer, shown: Shown, open: Set<string>): HTMLElement[] {
  const { title, subject, patch } = verdict;
  const annotations = Object.keys(answer.auditAnnotations).length;
  const calls = answer.exchanges.length;
  const section = (name: string, summary: string, content: () => Child[]) => disclosure(name, title, summary, content, open);
  return [
    annotations > 0 && section("audit", "Audit annotations", () => [code(stringify(answer.auditAnnotations))]),
    calls > 0 && section("calls", `Host calls: ${calls}`, () => [el("ol", { class: "calls" }, ...answer.exchanges.map(call))]),
    calls === 0 && el("p", { class: "hint" }, "No host calls: the answer does not depend on the cluster."),
    patch.length > 0 && section("patch", "JSON patch", () => [code(writeJson(patch, 2), "Copy the patch")]),
    section("kwctl", "The same with kwctl", () => [
      code(script(subject, shown.settings, shown.access, answer.exchanges, VERSION), "Copy the commands"),
    ]),
  ].filter((each) => each !== false);
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
