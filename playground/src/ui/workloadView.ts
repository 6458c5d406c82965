/** One workload: three editors, and the verdict beside them. */
import type { Reviews, Unreadable } from "../answers.ts";
import { FIRST, exampleOf, EXAMPLES, type Example } from "../examples.ts";
import { problemAt } from "../input/yaml.ts";
import { requestOf, type State } from "../state.ts";
import { SIGNS, verdictsOf, WORDS, type Verdict } from "../verdict.ts";
import { classesPanel } from "./classesPanel.ts";
import { el } from "./el.ts";
import { examplePicker } from "./examplePicker.ts";
import type { SettingsPanel } from "./settingsPanel.ts";
import { takeAlong } from "./takeAlong.ts";
import type { Checked } from "./typedPolicies.ts";
import { verdictPanel, type Undecided } from "./verdictPanel.ts";
import { workloadPanel } from "./workloadPanel.ts";

export interface WorkloadView {
  left: HTMLElement[];
  right: HTMLElement;
  /** The verdict in short, for a screen that has no place beside the editors. */
  summary: HTMLElement;
  state: State;
  open(example: Example): void;
  /** Whether it is as a visitor finds it. */
  readonly isFirst: boolean;
  /** Shows the answers to what is in the editors: those of the core, or ones that are known. */
  show(checked: Checked & { reviews?: Reviews }): void;
}

interface Parts {
  settingsPart: SettingsPanel;
  /** Renders policies for the native engine. */
  native: (policies: string, classes: string) => Promise<string>;
  /** Tells people who do not see the page. */
  announce: (text: string) => void;
  /** Something was typed or chosen. */
  changed: () => void;
}

export function workloadView({ settingsPart, native, announce, changed }: Parts): WorkloadView {
  const workload = workloadPanel(changed);
  const classes = classesPanel(changed);
  const verdict = verdictPanel();
  const take = takeAlong(native);
  const picker = examplePicker((example) => {
    open(example);
    changed();
    history.replaceState(null, "", `#example=${example.id}`);
  });
  const summary = el("a", { class: "summary", href: "#verdict", onclick: () => document.getElementById("verdict")?.focus() });

  function show(checked: Checked & { reviews?: Reviews }) {
    const state = stateNow();
    const { policies, problem, reviews } = reviewed(checked, state);
    picker.show(EXAMPLES.find((example) => sameState(example.state, state)));
    take.show(state, problem ? [] : policies);
    if (reviews) showProblems(state, reviews);
    classes.give(policies[0]?.name === null ? undefined : policies.some(({ readsClasses }) => readsClasses));

    const why = whyUndecided(problem, reviews);
    const all = why ? [] : reviews!.reviews.map(verdictsOf);
    const verdicts = all.flat();
    verdict.show(why ?? { verdicts, text: state.workload, policies, access: state.access, notes: reviews!.notes });
    summary.textContent = why ? why.title : inWords(all);
    summary.dataset.outcome = SIGNS[all[0]?.at(-1)?.outcome ?? "notAsked"];
    announce(why ? `${why.title}. ${why.message}` : verdicts.map(spoken).join(" "));
  }

  function showProblems(state: State, { reviews, runtimeClasses, ...unreadable }: Reviews) {
    const problems = (text: string, of: readonly Unreadable[]) => of.map((each) => problemAt(text, each));
    settingsPart.offer(runtimeClasses);
    const isRecorded = reviews.some((review) => review.isRecorded);
    workload.show(problems(state.workload, unreadable.unreadable), problems(state.oldObject, unreadable.unreadableBefore), isRecorded);
    classes.show(problems(state.classes, unreadable.unreadableCluster));
  }

  function stateNow(): State {
    return { settings: settingsPart.text, workload: workload.text, classes: classes.text, access: classes.access, ...workload.details };
  }

  function set(state: State) {
    settingsPart.text = state.settings;
    workload.text = state.workload;
    workload.details = state;
    classes.text = state.classes;
    classes.access = state.access;
  }

  function open(example: Example) {
    set(example.state);
  }

  const right = el("div", { class: "right" }, verdict.element, take.element);
  set(exampleOf(FIRST)!.state);
  return {
    left: [picker.element, workload.element, classes.element],
    right,
    summary,
    get state() {
      return stateNow();
    },
    set state(state) {
      set(state);
    },
    get isFirst() {
      return sameState(stateNow(), exampleOf(FIRST)!.state);
    },
    open,
    show,
  };
}

/** The answers of the core; with settings that can't be used, the other texts are read all the same. */
function reviewed({ core, policies, problem, reviews }: Checked & { reviews?: Reviews }, state: State): Omit<Checked, "core"> & { reviews?: Reviews } {
  const known = { policies, ...(problem && { problem }) };
  if (reviews || !core) return { ...known, ...(reviews && { reviews }) };
  try {
    return { ...known, reviews: core.review(requestOf(problem ? { ...state, settings: "" } : state), state.access) };
  } catch (error) {
    const at = { message: "", from: 0, to: 0, severity: "error" } as const;
    return { policies, problem: { title: "It can't be judged here", message: (error as Error).message, at } };
  }
}

function sameState(one: State, other: State): boolean {
  return (Object.keys(one) as (keyof State)[]).every((key) => one[key] === other[key]);
}

function whyUndecided(problem: Checked["problem"], reviews: Reviews | undefined): Undecided | undefined {
  if (problem) return { outcome: "rejected", ...problem };
  if (!reviews || reviews.reviews.length > 0) return undefined;
  if (reviews.unreadable.length > 0) return { outcome: "rejected", title: "The workload can't be read", message: "The line is named below its text." };
  return { outcome: "notAsked", title: "Paste a workload", message: "" };
}

function spoken({ title, outcome, sentence }: Verdict): string {
  return `${title}: ${WORDS[outcome]}. ${sentence}`;
}

function inWords([first = [], ...rest]: readonly Verdict[][]): string {
  const parts = first.map(({ title, outcome }) => `${title}: ${WORDS[outcome].toLowerCase()}`);
  return [parts.join(" · "), ...(rest.length > 0 ? [`and ${rest.length} more`] : [])].join(" ");
}
