/** A whole cluster: what the policy would do to all its Pods. */
import { start, type Running } from "../rehearsal/client.ts";
import type { Report } from "../rehearsal/report.ts";
import { copyButton, el, fill, newId } from "./el.ts";
import { panel } from "./panel.ts";
import { reportView } from "./reportView.ts";

const COMMAND = "kubectl get pods,runtimeclasses -A -o json > cluster.json";

export interface ClusterView {
  left: HTMLElement[];
  right: HTMLElement;
  /** Rehearses anew, after the settings were changed. */
  refresh(): void;
}

type Sources = { file: string; text: string | Blob }[];

/** A rehearsal of thousands of Pods is not started at each key. */
const PAUSE = 300;

export function clusterView(module: Uint8Array<ArrayBuffer>, settings: () => string, announce: (text: string) => void): ClusterView {
  let sources: Sources = [];
  let running: Running | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const files = el("input", { type: "file", multiple: true, id: newId("files"), accept: ".json,.yaml,.yml", onchange: () => taken([...(files.files ?? [])].map(source)) });
  const pasted = el("textarea", {
    id: newId("paste"),
    rows: 4,
    spellcheck: "false",
    placeholder: "{ \"kind\": \"List\", \"items\": [ …",
    oninput: () => later(pasted.value.trim() ? [{ file: "pasted", text: pasted.value }] : []),
  });
  const drop = el(
    "div",
    { class: "drop", ondragover: dragged, ondragleave: () => drop.classList.remove("over"), ondrop: dropped },
    el("label", { for: files.id }, "Choose files, or drop them here"),
    files,
  );
  const hint = "Objects in JSON or YAML: a dump of your cluster, or the output of helm template.";
  const command = el("div", { class: "code command" }, el("pre", { tabindex: "0" }, el("code", {}, COMMAND)), copyButton(() => COMMAND));
  const { element } = panel("My cluster", hint, command, drop, el("div", { class: "field" }, el("label", { for: pasted.id }, "Or paste them"), pasted));

  const heading = el("h2", { id: "rehearsal", tabindex: "-1" }, "Rehearsal");
  const body = el("div", { class: "report" });
  const right = el("section", { class: "right", "aria-labelledby": "rehearsal" }, heading, body);
  idle();

  function idle() {
    const about =
      "See what happens to each Pod when it is created again: rejected, mutated or accepted. Running Pods keep their class. " +
      "The objects stay in this page.";
    fill(body, el("p", { class: "card notAsked sentence" }, about));
  }

  function dragged(event: DragEvent) {
    event.preventDefault();
    drop.classList.add("over");
  }

  function dropped(event: DragEvent) {
    event.preventDefault();
    drop.classList.remove("over");
    taken([...(event.dataTransfer?.files ?? [])].map(source));
  }

  function taken(found: Sources) {
    sources = found;
    run();
  }

  function later(found: Sources) {
    sources = found;
    clearTimeout(timer);
    timer = setTimeout(run, PAUSE);
  }

  function refresh() {
    if (sources.length > 0) later(sources);
  }

  function run() {
    running?.stop();
    running = undefined;
    if (sources.length === 0) return idle();
    const bar = el("progress", { "aria-label": "Objects judged", value: 0, max: 1 });
    const text = el("p", { class: "hint" }, "Reading the objects");
    fill(body, el("div", { class: "card notAsked" }, bar, text));
    const now = start(module, settings(), sources, (done, total) => {
      Object.assign(bar, { value: done, max: Math.max(total, 1) });
      text.textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")} objects`;
    });
    running = now;
    now.report.then(
      (report) => shown(report, now),
      (error: Error) => fill(body, el("p", { class: "card rejected", role: "alert" }, error.message)),
    );
  }

  function shown(report: Report, of: Running) {
    if (of !== running) return;
    const { judged, accepted, mutated, rejected, errors } = report.summary;
    fill(body, ...reportView(report, (row) => of.change(row)));
    announce(`${judged} objects judged: ${rejected} rejected, ${mutated} mutated, ${accepted} accepted, ${errors} errors.`);
  }

  return { left: [element], right, refresh };
}

function source(file: File): { file: string; text: Blob } {
  return { file: file.name, text: file };
}
