/** The report of a rehearsal: the JSON of `evaluator rehearse --output json`, format version 1. */
import { DEFAULT } from "../kubernetes/kinds.ts";
import type { Scope } from "../policy/scope.ts";
import type { Unreadable } from "./documents.ts";
import type { Field } from "./sandbox.ts";
import type { Outcome, Row, Tally } from "./tally.ts";

export interface Outcomes {
  judged: number;
  accepted: number;
  mutated: number;
  rejected: number;
  errors: number;
}

export interface Workload {
  namespace: string;
  kind: string;
  name: string;
  pods: number;
  templates: number;
  outcome: Outcome;
  class: string;
  to: string | null;
  code: number | null;
  message: string | null;
  fields: Field[];
}

export interface Class extends Outcomes {
  class: string;
  workloads: number;
  namespaces: number;
  /** Many workloads name it, and none keeps it. */
  lookFirst: boolean;
}

export interface Report {
  formatVersion: 1;
  policy: { name: string | null; settings: unknown };
  /** Null: names alone are compared. */
  runtimeClasses: string[] | null;
  notes: string[];
  summary: Outcomes & { mutatedTo: Record<string, number>; unreadable: number };
  notJudged: { kinds: Record<string, number>; rules: number; namespaceSelector: number; objectSelector: number; matchConditions: number };
  namespaces: (Outcomes & { namespace: string })[];
  classes: Class[];
  workloads: Workload[];
  unreadable: Unreadable[];
}

const FIELDS = { accepted: "accepted", mutated: "mutated", rejected: "rejected", error: "errors" } as const;

export interface Reported {
  scope: Scope;
  settings: unknown;
  /** The names of the classes that the policy can read; none if it reads none. */
  classes: string[] | undefined;
  tally: Tally;
  unreadable: Unreadable[];
}

export function report({ scope, settings, classes, tally, unreadable }: Reported): Report {
  const rows = tally.rows();
  return {
    formatVersion: 1,
    policy: { name: scope.name ?? null, settings },
    runtimeClasses: classes ? classes.toSorted() : null,
    notes: notesOf(scope, settings, classes !== undefined, tally),
    summary: { ...outcomesOf(rows), mutatedTo: mutatedTo(rows), unreadable: unreadable.length },
    notJudged: { kinds: tally.kinds, ...tally.leftOut },
    namespaces: grouped(rows, (row) => row.namespace).map(([namespace, each]) => ({ namespace, ...outcomesOf(each) })),
    classes: grouped(rows, (row) => row.class).map(classOf),
    workloads: rows.map(({ sample: _, ...row }) => row),
    unreadable,
  };
}

function outcomesOf(rows: readonly Row[]): Outcomes {
  const outcomes: Outcomes = { judged: 0, accepted: 0, mutated: 0, rejected: 0, errors: 0 };
  for (const { outcome, pods, templates } of rows) {
    outcomes.judged += pods + templates;
    outcomes[FIELDS[outcome]] += pods + templates;
  }
  return outcomes;
}

function mutatedTo(rows: readonly Row[]): Record<string, number> {
  const moved = rows.filter(({ to }) => to !== null);
  return Object.fromEntries(grouped(moved, ({ to }) => to!).map(([to, each]) => [to, outcomesOf(each).judged]));
}

function grouped(rows: readonly Row[], key: (row: Row) => string): [string, Row[]][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

function classOf([name, rows]: [string, Row[]]): Class {
  const outcomes = outcomesOf(rows);
  const workloads = new Set(rows.map(({ namespace, kind, name }) => JSON.stringify([namespace, kind, name]))).size;
  const namespaces = new Set(rows.map(({ namespace }) => namespace)).size;
  const isKept = outcomes.rejected + outcomes.mutated < outcomes.judged;
  return { class: name, ...outcomes, workloads, namespaces, lookFirst: name !== DEFAULT && !isKept && workloads > 1 };
}

function notesOf(scope: Scope, settings: unknown, readsClasses: boolean, tally: Tally): string[] {
  const isByName = (settings as { matchHandlers?: unknown } | null)?.matchHandlers === false;
  const notes = readsClasses || isByName ? [] : [namesAlone(scope)];
  notes.push(...scope.notes);
  for (const { name, why } of scope.conditions.notEvaluated) {
    notes.push(`Match condition '${name}' is not evaluated, and taken as true: ${why}.`);
  }
  for (const { name, why, times } of tally.conditionsNotEvaluated.values()) {
    notes.push(`Match condition '${name}' is not evaluated for ${times} ${times === 1 ? "request" : "requests"}, and taken as true: ${why}.`);
  }
  if (tally.namespacesWithoutLabels.size > 0) {
    const names = [...tally.namespacesWithoutLabels].sort().join(", ");
    notes.push(`The input has no Namespace object for ${names}: the namespaceSelector sees its name alone.`);
  }
  return notes;
}

function namesAlone({ mayReadClasses }: Scope): string {
  const why = mayReadClasses
    ? "The input has no RuntimeClasses"
    : "The policy has no access to RuntimeClasses (contextAwareResources)";
  return `${why}: names alone are compared, not handlers.`;
}
