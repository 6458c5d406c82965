/** One workload: three editors, and the verdict beside them. */
import { FIRST, exampleOf, EXAMPLES, type Example } from "../examples.ts";
import { readClasses } from "../input/classes.ts";
import { readSettings, settingsProblem, type TypedSettings } from "../input/settings.ts";
import { readWorkloads } from "../input/workload.ts";
import type { Policy } from "../policy/policy.ts";
import type { Judge } from "../policy/judge.ts";
import type { State } from "../state.ts";
import { decide, OUTCOMES, type Verdicts } from "../verdict.ts";
import { classesPanel } from "./classesPanel.ts";
import { el } from "./el.ts";
import { examplePicker } from "./examplePicker.ts";
import type { SettingsPanel } from "./settingsPanel.ts";
import { takeAlong } from "./takeAlong.ts";
import { verdictPanel, type Shown, type Undecided } from "./verdictPanel.ts";
import { workloadPanel } from "./workloadPanel.ts";

export interface WorkloadView {
  left: HTMLElement[];
  right: HTMLElement;
  /** The verdict in short, for a screen that has no place beside the editors. */
  summary: HTMLElement;
  state: State;
  /** Decides anew, after the settings were changed. */
  refresh(): void;
  open(example: Example): void;
}

/** @param announce tells people who do not see the page */
export function workloadView(policy: Policy, settingsPart: SettingsPanel, announce: (text: string) => void, edited: () => void): WorkloadView {
  const workload = workloadPanel(changed);
  const classes = classesPanel(changed);
  const verdict = verdictPanel();
  const take = takeAlong();
  const picker = examplePicker((example) => {
    open(example);
    history.replaceState(null, "", `#example=${example.id}`);
  });
  const summary = el("a", { class: "summary", href: "#verdict", onclick: () => document.getElementById("verdict")?.focus() });

  function changed() {
    edited();
    refresh();
  }

  function refresh() {
    const state = stateNow();
    picker.show(EXAMPLES.find((example) => sameState(example.state, state)));
    const settings = readSettings(state.settings);
    const typedClasses = readClasses(state.classes);
    const workloads = readWorkloads(state.workload, state);
    const isRead = settings.problems.length === 0;
    const invalid = isRead ? policy.settingsError(settings.json) : undefined;
    const problems = invalid === undefined ? settings.problems : [settingsProblem(settings, invalid)];
    const mayRead = settings.scope.mayReadClasses;
    const access = mayRead ? state.access : "not-granted";

    settingsPart.show(settings, problems, typedClasses.classes.map(({ metadata }) => metadata.name));
    workload.show(workloads.problems, workloads.oldProblems, workloads.isRecorded);
    classes.show(typedClasses.problems, settings.isPolicy ? mayRead : undefined);
    take.show(state, settings, problems.length === 0, access !== "not-granted");

    const judge: Judge = {
      policy,
      scope: settings.scope,
      settings: settings.json,
      cluster: { access, classes: typedClasses.classes },
      namespaces: new Map(),
    };
    const why = whyUndecided(settings, invalid, workloads.problems.length, workloads.workloads.length);
    const verdicts = why ? [] : workloads.workloads.map((each) => decide(judge, each));
    const { id: webhook, notes, conditions } = settings.scope;
    const unevaluated = conditions.notEvaluated.map(({ name, why }) => `matchCondition ${name} is not evaluated here, and taken as true: ${why}`);
    const shown: Shown | Undecided = why ?? { verdicts, text: state.workload, settings: settings.json, access, webhook, notes: [...notes, ...unevaluated] };
    verdict.show(shown);
    const inShort = why ? why.title : inWords(verdicts);
    summary.textContent = inShort;
    summary.dataset.outcome = verdicts[0] ? (verdicts[0].pods ?? verdicts[0].own).outcome : "notAsked";
    announce(why ? `${why.title}. ${why.message}` : verdicts.flatMap(spoken).join(" "));
  }

  function stateNow(): State {
    return { settings: settingsPart.text, workload: workload.text, classes: classes.text, access: classes.access, ...workload.details };
  }

  function show(state: State) {
    settingsPart.text = state.settings;
    workload.text = state.workload;
    workload.details = state;
    classes.text = state.classes;
    classes.access = state.access;
    refresh();
  }

  function open(example: Example) {
    show(example.state);
  }

  const right = el("div", { class: "right" }, verdict.element, take.element);
  show(exampleOf(FIRST)!.state);
  return {
    left: [picker.element, workload.element, classes.element],
    right,
    summary,
    get state() {
      return stateNow();
    },
    set state(state) {
      show(state);
    },
    refresh,
    open,
  };
}

function sameState(one: State, other: State): boolean {
  return (Object.keys(one) as (keyof State)[]).every((key) => one[key] === other[key]);
}

function whyUndecided(settings: TypedSettings, invalid: string | undefined, problems: number, workloads: number): Undecided | undefined {
  if (settings.problems[0]) return { outcome: "rejected", title: "The settings can't be read", message: settings.problems[0].message };
  if (invalid !== undefined) return { outcome: "rejected", title: "The policy does not load with these settings", message: invalid };
  if (problems > 0 && workloads === 0) return { outcome: "rejected", title: "The workload can't be read", message: "The line is named below its text." };
  return workloads === 0 ? { outcome: "notAsked", title: "Paste a workload", message: "" } : undefined;
}

function spoken({ own, pods }: Verdicts): string[] {
  return [own, ...(pods ? [pods] : [])].map(({ title, outcome, sentence }) => `${title}: ${OUTCOMES[outcome]}. ${sentence}`);
}

function inWords([first, ...rest]: readonly Verdicts[]): string {
  if (!first) return "";
  const { own, pods } = first;
  const parts = [own, ...(pods ? [pods] : [])].map(({ title, outcome }) => `${title}: ${OUTCOMES[outcome].toLowerCase()}`);
  return [parts.join(" · "), ...(rest.length > 0 ? [`and ${rest.length} more`] : [])].join(" ");
}
