/** A whole cluster: what the policies would do to all its Pods. */
import type { Rehearsal } from "../answers.ts";
import { start, type Running } from "../rehearsal/client.ts";
import { copyButton, el, fill, newId } from "./el.ts";
import { panel } from "./panel.ts";
import { reportView, type ChooseFallback } from "./reportView.ts";
import type { Checked } from "./typedPolicies.ts";

const COMMAND = "kubectl get pods,replicasets,jobs,namespaces,nodes,runtimeclasses -A -o json > cluster.json";

export interface ClusterView {
  left: HTMLElement[];
  right: HTMLElement;
  /** Rehearses anew if the policies are others. */
  refresh(): void;
}

interface Parts {
  policy: WebAssembly.Module;
  /** The policies as they were typed. */
  policies: () => string;
  check: () => Promise<Checked>;
  choose: ChooseFallback;
  announce: (text: string) => void;
}

type Sources = { file: string; blob: Blob }[];

/** A rehearsal of thousands of Pods is not started at each key. */
const PAUSE = 300;

export function clusterView({ policy, policies, check, choose, announce }: Parts): ClusterView {
  let sources: Sources = [];
  /** The policies that were rehearsed last. */
  let rehearsed: string | undefined;
  let running: Running | undefined;
  let runs = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const files = el("input", { type: "file", multiple: true, id: newId("files"), accept: ".json,.yaml,.yml", onchange: () => taken(files.files) });
  const pasted = el("textarea", {
    id: newId("paste"),
    rows: 4,
    spellcheck: "false",
    placeholder: "{ \"kind\": \"List\", \"items\": [ …",
    oninput: () => later(pasted.value.trim() ? [{ file: "pasted", blob: new Blob([pasted.value]) }] : []),
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
    taken(event.dataTransfer?.files);
  }

  function taken(found: FileList | null | undefined) {
    sources = [...(found ?? [])].map((file) => ({ file: file.name, blob: file }));
    void run();
  }

  function later(found: Sources) {
    sources = found;
    clearTimeout(timer);
    timer = setTimeout(() => void run(), PAUSE);
  }

  function refresh() {
    if (sources.length > 0 && policies() !== rehearsed) later(sources);
  }

  async function run() {
    const own = (runs += 1);
    running?.stop();
    running = undefined;
    if (sources.length === 0) return idle();
    const text = (rehearsed = policies());
    const checked = await check();
    if (own !== runs) return;
    const failed = (message: string) => fill(body, el("p", { class: "card rejected", role: "alert" }, message));
    if (checked.problem) return failed(`${checked.problem.title}: ${checked.problem.message}`);
    const bar = el("progress", { "aria-label": "Part of the work that is done", value: 0, max: 1 });
    const doing = el("p", { class: "hint" }, "Reading the objects");
    fill(body, el("div", { class: "card notAsked" }, bar, doing));
    const now = await start({ core: checked.module!, policy, policies: text, sources }, (share) => {
      bar.value = share;
      doing.textContent = share < 0.5 ? "Reading the objects" : "Judging the objects";
    });
    if (own !== runs) return now.stop();
    running = now;
    now.rehearsal.then((rehearsal) => own === runs && shown(rehearsal, now), (error: Error) => own === runs && failed(error.message));
  }

  function shown(rehearsal: Rehearsal, { change }: Running) {
    const { judged, accepted, mutated, rejected, refused, errors } = rehearsal.report.summary;
    fill(body, ...reportView(rehearsal, change, choose));
    announce(`${judged} objects judged: ${rejected} rejected, ${refused} refused, ${mutated} mutated, ${accepted} accepted, ${errors} errors.`);
  }

  return { left: [element], right, refresh };
}
