/** The report of a rehearsal: figures, what to look at first, and each workload. */
import type { Report, Workload } from "../rehearsal/report.ts";
import { OUTCOMES, type Outcome } from "../rehearsal/tally.ts";
import { diffView } from "./editor.ts";
import { el, fill, newId, type Child } from "./el.ts";
import { icon } from "./icon.ts";

type Change = (row: number) => Promise<[string, string]>;

const WORDS: Record<Outcome, string> = { error: "Error", rejected: "Rejected", mutated: "Mutated", accepted: "Accepted" };
const SIGNS = { error: "rejected", rejected: "rejected", mutated: "mutated", accepted: "accepted" } as const;
const COUNTS = { error: "errors", rejected: "rejected", mutated: "mutated", accepted: "accepted" } as const;

/** Rows that are shown at once. */
const PAGE = 100;

export function reportView(report: Report, change: Change): Child[] {
  return [
    figures(report),
    ...report.notes.map((note) => el("p", { class: "note" }, note)),
    lookFirst(report),
    byNamespace(report),
    workloads(report, change),
    notJudged(report),
  ];
}

function figures({ summary }: Report): HTMLElement {
  const figure = (outcome: Outcome) =>
    el("div", { class: `figure ${SIGNS[outcome]}`, "data-outcome": outcome }, el("dt", {}, icon(SIGNS[outcome]), WORDS[outcome]), el("dd", {}, number(summary[COUNTS[outcome]])));
  const to = Object.entries(summary.mutatedTo).map(([name, count]) => `${number(count)} to ${name}`);
  const outcomes = OUTCOMES.filter((outcome) => outcome !== "error" || summary.errors > 0);
  const judged = [`${number(summary.judged)} objects judged`, ...(to.length > 0 ? [`mutated: ${to.join(", ")}`] : [])];
  return el("div", {}, el("dl", { class: "figures" }, ...outcomes.map(figure)), el("p", { class: "hint" }, judged.join(" · ")));
}

function lookFirst({ workloads, classes }: Report): HTMLElement | undefined {
  const rows = workloads.filter(({ fields }) => fields.length > 0).map(takenAway);
  const unusable = classes.filter((each) => each.lookFirst).map((each) => {
    const text = ` ${number(each.workloads)} workloads name it, and none keeps it.`;
    return el("li", {}, el("b", {}, `Class ${each.class}`), el("span", {}, text));
  });
  const all = [...unusable, ...rows];
  if (all.length === 0) return undefined;
  const more = all.length > PAGE && el("p", { class: "hint" }, `${number(all.length - PAGE)} more, in the list of workloads.`);
  return el("section", { class: "first" }, el("h3", {}, "Look at these first"), el("ul", {}, ...all.slice(0, PAGE)), more);
}

function takenAway({ namespace, kind, name, to, fields }: Workload): HTMLElement {
  const uses = fields.map(({ path, value }) => (value === "true" || value === "" ? path : `${path}: ${value}`)).join(", ");
  const text = ` is moved to ${to ?? ""} and uses `;
  return el("li", {}, el("b", {}, `${namespace} ${kind}/${name}`), el("span", {}, text, el("code", {}, uses)));
}

function byNamespace({ namespaces }: Report): HTMLElement {
  const heads = ["Namespace", "Judged", "Rejected", "Mutated", "Accepted", "Errors"];
  const cells = ({ judged, rejected, mutated, accepted, errors }: Report["namespaces"][number]) =>
    [judged, rejected, mutated, accepted, errors].map((count) => el("td", { class: count === 0 ? "zero" : undefined }, number(count)));
  const rows = namespaces.map((each) => el("tr", {}, el("th", { scope: "row" }, each.namespace), ...cells(each)));
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, ...rows));
  return el("details", { class: "more", open: namespaces.length <= 12 }, el("summary", {}, "By namespace"), el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Figures of each one" }, table));
}

function workloads(report: Report, change: Change): HTMLElement {
  const all = report.workloads.map((workload, row) => ({ workload, row }));
  const list = el("ul", { class: "rows" });
  const count = el("p", { class: "hint", "aria-live": "polite" });
  const more = el("button", { type: "button", onclick: () => show(shown + PAGE) }, "Show more");
  let shown = PAGE;

  const outcome = choice("Outcome", ["All", ...OUTCOMES.map((each) => WORDS[each])], () => show(PAGE));
  const namespace = choice("Namespace", ["All", ...report.namespaces.map((each) => each.namespace)], () => show(PAGE));
  const text = el("input", { type: "search", id: newId("filter"), placeholder: "name, class, message", oninput: () => show(PAGE) });
  const filter = el("div", { class: "filter" }, outcome.element, namespace.element, el("div", { class: "field" }, el("label", { for: text.id }, "Search"), text));

  function show(most: number) {
    shown = most;
    const found = all.filter(({ workload }) => isWanted(workload));
    fill(list, ...found.slice(0, most).map(({ workload, row }) => line(workload, row, change)));
    count.textContent = found.length === all.length ? `${number(all.length)} workloads` : `${number(found.length)} of ${number(all.length)} workloads`;
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
  return el("section", {}, el("h3", {}, "Workloads"), filter, count, list, more);
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

/** A workload; its change is fetched when it is opened. */
function line(workload: Workload, row: number, change: Change): HTMLElement {
  const { namespace, kind, name, outcome, to, message, pods, templates } = workload;
  const parts = [pods > 0 && count(pods, "Pod"), templates > 0 && count(templates, "template")].filter(Boolean).join(", ");
  const summary = el(
    "summary",
    {},
    icon(SIGNS[outcome]),
    el("span", { class: "visually-hidden" }, WORDS[outcome]),
    el("span", { class: "who" }, `${namespace} `, el("b", {}, `${kind}/${name}`), ` ${parts}`),
    el("span", { class: "what" }, to === null ? workload.class : `${workload.class} → ${to}`),
  );
  const body = el("div", { class: "body" });
  const details = el("details", { ontoggle: opened }, summary, body);
  async function opened() {
    if (!details.open || body.hasChildNodes()) return;
    const why = message ?? (outcome === "accepted" ? "Accepted as it is." : "It names no class, and gets the fallback.");
    const fields = workload.fields.map(({ path, value }) => el("li", {}, el("code", {}, `${path}: ${value}`)));
    const uses = fields.length > 0 && el("div", {}, el("p", {}, "A sandbox may not support:"), el("ul", {}, ...fields));
    fill(body, el("p", {}, why), uses);
    if (outcome !== "mutated") return;
    const [before, after] = await change(row);
    body.append(diffView(`Change of ${kind} ${name}`, before, after));
  }
  return el("li", { class: SIGNS[outcome] }, details);
}

function notJudged({ notJudged, unreadable }: Report): HTMLElement {
  const { kinds, rules, namespaceSelector, objectSelector, matchConditions } = notJudged;
  const parts = { rules, namespaceSelector, objectSelector, matchConditions };
  const left = Object.entries(parts).filter(([, times]) => times > 0).map(([part, times]) => `${number(times)} left out by ${part}`);
  const others = Object.entries(kinds).map(([kind, times]) => `${number(times)} ${kind}`);
  const lines = [...(others.length > 0 ? [`No Pod spec: ${others.join(", ")}`] : []), ...left];
  const unread = unreadable.map(({ file, document, item, message }) => `${file}, document ${document}${item === null ? "" : `, item ${item}`}: ${message}`);
  const list = (title: string, texts: string[]) => texts.length > 0 && el("div", {}, el("h3", {}, title), el("ul", { class: "plain" }, ...texts.map((text) => el("li", {}, text))));
  return el("section", {}, list("Not judged", lines), list("Not readable", unread));
}

function count(times: number, noun: string): string {
  return `${number(times)} ${noun}${times === 1 ? "" : "s"}`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}
