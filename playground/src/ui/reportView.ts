/** The report of a rehearsal: figures, what stops everything, what to look at first, and each workload. */
import { OUTCOMES, type Outcomes, type Place, type Rehearsal, type Report, type Review, type Section, type Stop, type Workload } from "../answers.ts";
import { yamlDiff } from "../input/patch.ts";
import { changeOf, SIGNS, WORDS } from "../verdict.ts";
import { diffView } from "./editor.ts";
import { el, fill, newId, type Child } from "./el.ts";
import { icon } from "./icon.ts";

type Change = (place: Place) => Promise<Review | null>;

/** Chooses the fallback of a policy. */
export type ChooseFallback = (name: string, policy: string | null) => void;

const COUNTS = { error: "errors", rejected: "rejected", refused: "refused", mutated: "mutated", accepted: "accepted" } as const;

/** Outcomes that are shown though no object has them. */
const USUAL = ["rejected", "mutated", "accepted"];

/** Rows that are shown at once. */
const PAGE = 100;

export function reportView({ report, title, sections }: Rehearsal, change: Change, choose: ChooseFallback): Child[] {
  return [
    el("p", { class: "hint" }, `${title}.`),
    figures(report),
    stops(report.problems, choose),
    ...linesOf(sections, "Notes").map((note) => el("p", { class: "note" }, note)),
    lookFirst(report),
    byNamespace(report),
    workloads(report, change),
    el("section", {}, list("Not judged", linesOf(sections, "Summary").slice(1)), list("Not readable", linesOf(sections, "Can't be read"))),
  ];
}

/** The words of the core. */
function linesOf(sections: readonly Section[], title: string): string[] {
  return sections.find((section) => section.title === title)?.lines ?? [];
}

function figures({ summary }: Report): HTMLElement {
  const figure = (outcome: (typeof OUTCOMES)[number]) =>
    el("div", { class: `figure ${SIGNS[outcome]}`, "data-outcome": outcome }, el("dt", {}, icon(SIGNS[outcome]), WORDS[outcome]), el("dd", {}, number(summary[COUNTS[outcome]])));
  const to = Object.entries(summary.mutatedTo).map(([name, count]) => `${number(count)} to ${name}`);
  const outcomes = OUTCOMES.filter((outcome) => USUAL.includes(outcome) || summary[COUNTS[outcome]] > 0);
  return el("div", {}, el("dl", { class: "figures" }, ...outcomes.map(figure)), to.length > 0 && el("p", { class: "hint" }, `Mutated: ${to.join(", ")}`));
}

/** What stops everything, once, and the way out. */
function stops(problems: readonly Stop[], choose: ChooseFallback): HTMLElement | undefined {
  if (problems.length === 0) return undefined;
  const stop = ({ message, objects, classes, policy }: Stop) => {
    const buttons = classes.map((name) => el("button", { type: "button", onclick: () => choose(name, policy) }, name));
    const wayOut = classes.length > 0 ? "Choose one of the classes that this cluster has:" : "This cluster has no RuntimeClasses.";
    return el("div", {}, el("p", {}, el("b", {}, `${count(objects, "object")}: `), `${message}.`), el("p", {}, wayOut), el("div", { class: "row" }, ...buttons));
  };
  return el("section", { class: "card rejected stop" }, el("h3", {}, "Fix this first"), ...problems.map(stop));
}

function lookFirst({ workloads, classes }: Report): HTMLElement | undefined {
  const rows = workloads.filter(({ fields }) => fields.length > 0).map(uses);
  const unusable = classes.filter((each) => each.lookFirst).map((each) => {
    const text = ` ${number(each.workloads)} workloads name it, and none keeps it.`;
    return el("li", {}, el("b", {}, `Class ${each.class}`), el("span", {}, text));
  });
  const all = [...unusable, ...rows];
  if (all.length === 0) return undefined;
  const more = all.length > PAGE && el("p", { class: "hint" }, `${number(all.length - PAGE)} more, in the list of workloads.`);
  return el("section", { class: "first" }, el("h3", {}, "Look at these first"), el("ul", {}, ...all.slice(0, PAGE)), more);
}

function uses({ namespace, kind, name, to, fields }: Workload): HTMLElement {
  return el("li", {}, el("b", {}, `${namespace} ${kind}/${name}`), el("span", {}, ` moves to ${to ?? ""}.`), fieldList(fields));
}

/** Fields, and what happens because of them. */
function fieldList(fields: Workload["fields"]): HTMLElement {
  const item = ({ path, value, why }: Workload["fields"][number]) =>
    el("li", {}, el("code", {}, value === "true" || value === "" ? path : `${path}: ${value}`), ` ${why}`);
  return el("ul", { class: "fields" }, ...fields.map(item));
}

function byNamespace({ namespaces }: Report): HTMLElement {
  const heads = ["Namespace", "Judged", "Rejected", "Refused", "Mutated", "Accepted", "Errors", "A plain Pod gets"];
  const counts = ({ judged, rejected, refused, mutated, accepted, errors }: Outcomes) =>
    [judged, rejected, refused, mutated, accepted, errors].map((count) => el("td", { class: count === 0 ? "zero" : undefined }, number(count)));
  const row = (each: Report["namespaces"][number]) => el("tr", {}, el("th", { scope: "row" }, each.namespace), ...counts(each), el("td", {}, plainPod(each)));
  const head = el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head))));
  const table = el("table", {}, head, el("tbody", {}, ...namespaces.map(row)));
  return el("details", { class: "more", open: namespaces.length <= 12 }, el("summary", {}, "By namespace"), el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Figures of each one" }, table));
}

function plainPod({ plainPod }: Report["namespaces"][number]): string {
  if (plainPod === null) return "no policy is asked";
  const { outcome, class: name } = plainPod;
  return outcome === "accepted" || outcome === "mutated" ? name : WORDS[outcome].toLowerCase();
}

function workloads(report: Report, change: Change): HTMLElement {
  const all = report.workloads;
  const rows = el("ul", { class: "rows" });
  const shownCount = el("p", { class: "hint", "aria-live": "polite" });
  const more = el("button", { type: "button", onclick: () => show(shown + PAGE) }, "Show more");
  let shown = PAGE;

  const outcome = choice("Outcome", ["All", ...OUTCOMES.map((each) => WORDS[each])], () => show(PAGE));
  const namespace = choice("Namespace", ["All", ...report.namespaces.map((each) => each.namespace)], () => show(PAGE));
  const text = el("input", { type: "search", id: newId("filter"), placeholder: "name, class, message", oninput: () => show(PAGE) });
  const filter = el("div", { class: "filter" }, outcome.element, namespace.element, el("div", { class: "field" }, el("label", { for: text.id }, "Search"), text));

  function show(most: number) {
    shown = most;
    const found = all.filter(isWanted);
    fill(rows, ...found.slice(0, most).map((workload) => line(workload, report.problems, change)));
    shownCount.textContent = found.length === all.length ? `${number(all.length)} workloads` : `${number(found.length)} of ${number(all.length)} workloads`;
    more.hidden = found.length <= most;
  }

  function isWanted(workload: Workload): boolean {
    const words = [workload.namespace, workload.kind, workload.name, workload.class, workload.to, workload.message].join(" ").toLowerCase();
    return (
      (outcome.value === "All" || WORDS[workload.outcome] === outcome.value) &&
      (namespace.value === "All" || workload.namespace === namespace.value) &&
      words.includes(text.value.toLowerCase())
    );
  }

  show(PAGE);
  return el("section", {}, el("h3", {}, "Workloads"), filter, shownCount, rows, more);
}

function choice(label: string, options: string[], changed: () => void): { element: HTMLElement; readonly value: string } {
  const select = el("select", { id: newId("choice"), onchange: changed }, ...options.map((each) => el("option", {}, each)));
  return {
    element: el("div", { class: "field" }, el("label", { for: select.id }, label), select),
    get value() {
      return select.value;
    },
  };
}

/** A workload and why it stands there; its change is fetched when it is opened. */
function line(workload: Workload, problems: readonly Stop[], change: Change): HTMLElement {
  const { namespace, kind, name, outcome, to, pods, templates, fields, place } = workload;
  const parts = [pods > 0 && count(pods, "Pod"), templates > 0 && count(templates, "template")].filter(Boolean).join(", ");
  const who = el("span", { class: "who" }, `${namespace} `, el("b", {}, `${kind}/${name}`), ` ${parts}`, el("span", { class: "why" }, whyOf(workload, problems)));
  const summary = el(
    "summary",
    {},
    icon(SIGNS[outcome]),
    el("span", { class: "visually-hidden" }, WORDS[outcome]),
    who,
    el("span", { class: "what" }, to === null ? workload.class : `${workload.class} → ${to}`),
  );
  const body = el("div", { class: "body" });
  const details = el("details", { ontoggle: opened }, summary, body);
  async function opened() {
    if (!details.open || body.hasChildNodes()) return;
    fill(body, fields.length > 0 && fieldList(fields), el("p", { class: "hint" }, `${place.file}, line ${place.line}`));
    if (outcome !== "mutated") return;
    const review = await change(place);
    for (const { object, patch } of review ? [review.own, ...review.pods].map(changeOf) : []) {
      if (patch.length > 0) body.append(diffView(`Change of ${kind} ${name}`, ...yamlDiff(undefined, object, "", patch)));
    }
  }
  return el("li", { class: SIGNS[outcome] }, details);
}

function whyOf({ outcome, message, detail, policy }: Workload, problems: readonly Stop[]): string {
  const words = detail ?? message;
  if (problems.some((problem) => problem.message === words && problem.policy === policy)) return "Its fallback is missing: see above.";
  if (detail !== null) return `${message} (the policy says: ${detail})`;
  return message ?? (outcome === "mutated" ? "It names no class, and gets the fallback." : "Accepted as it is.");
}

function list(title: string, texts: string[]): HTMLElement | undefined {
  if (texts.length === 0) return undefined;
  return el("div", {}, el("h3", {}, title), el("ul", { class: "plain" }, ...texts.map((text) => el("li", {}, text))));
}

function count(times: number, noun: string): string {
  return `${number(times)} ${noun}${times === 1 ? "" : "s"}`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}
