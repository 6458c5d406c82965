/** What comes of the objects, counted. */
import type { LeftOut } from "../policy/judge.ts";
import type { Made } from "./cluster.ts";
import type { Field } from "./sandbox.ts";

/** What comes of an object, in the order of a report. */
export const OUTCOMES = ["error", "rejected", "mutated", "accepted"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Verdict {
  outcome: Outcome;
  class: string;
  to: string | null;
  code: number | null;
  message: string | null;
  fields: Field[];
}

/** The objects of one workload that get the same answer. */
export interface Row extends Made, Verdict {
  namespace: string;
  pods: number;
  templates: number;
  /** The first of its objects, by position. */
  sample: number;
}

export class Tally {
  readonly #rows = new Map<string, Row>();
  readonly kinds: Record<string, number> = {};
  readonly leftOut: Record<LeftOut, number> = { rules: 0, namespaceSelector: 0, objectSelector: 0, matchConditions: 0 };
  readonly namespacesWithoutLabels = new Set<string>();
  readonly conditionsNotEvaluated = new Map<string, { name: string; why: string; times: number }>();

  add(namespace: string, made: Made, verdict: Verdict, isPod: boolean, sample: number): void {
    const key = JSON.stringify([namespace, made, verdict]);
    const row = this.#rows.get(key) ?? { namespace, ...made, pods: 0, templates: 0, ...verdict, sample };
    if (isPod) row.pods += 1;
    else row.templates += 1;
    this.#rows.set(key, row);
  }

  otherKind(kind: string): void {
    this.kinds[kind] = (this.kinds[kind] ?? 0) + 1;
  }

  withoutLabels(namespace: string): void {
    this.namespacesWithoutLabels.add(namespace);
  }

  notEvaluated(name: string, why: string): void {
    const key = JSON.stringify([name, why]);
    const times = (this.conditionsNotEvaluated.get(key)?.times ?? 0) + 1;
    this.conditionsNotEvaluated.set(key, { name, why, times });
  }

  /** Errors first, then rejected, mutated, accepted; then by namespace, kind and name. */
  rows(): Row[] {
    const keyOf = ({ outcome, namespace, kind, name, class: named, to, code, message, fields }: Row) =>
      [OUTCOMES.indexOf(outcome), namespace, kind, name, named, to ?? "", code ?? -1, message ?? "", JSON.stringify(fields)] as const;
    return [...this.#rows.values()].map((row) => ({ row, key: keyOf(row) })).sort((a, b) => compare(a.key, b.key)).map(({ row }) => row);
  }
}

function compare(one: readonly (string | number)[], other: readonly (string | number)[]): number {
  const at = one.findIndex((each, at) => each !== other[at]);
  return at < 0 ? 0 : one[at]! < other[at]! ? -1 : 1;
}
