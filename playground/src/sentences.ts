/** What happens to an object, as a person says it. */
import { DEFAULT } from "./kubernetes/kinds.ts";
import type { LeftOut } from "./policy/judge.ts";
import type { Operation, Subject } from "./policy/request.ts";
import type { Outcome } from "./verdict.ts";

/** What a sentence calls its object: `this Pod`, `its Pods`. */
export interface Subjects {
  it: string;
  areMany: boolean;
}

interface Case {
  subject: Subject;
  named: Subjects;
  outcome: Exclude<Outcome, "notAsked">;
  code: number | undefined;
  /** Whether the policy judges objects of this kind. */
  isJudged: boolean;
  /** The class that a Pod runs with, or `(default)`. */
  runsWith?: string;
}

const VERBS: Record<Operation, [string, string]> = {
  CREATE: ["creates", "create"],
  UPDATE: ["updates", "update"],
  DELETE: ["deletes", "delete"],
};

export function sentenceFor({ subject, named, outcome, code, isJudged, runsWith }: Case): string {
  const [does, notDoes] = VERBS[subject.operation];
  const { it, areMany } = named;
  const [they, run, are] = areMany ? ["They", "run", "they are"] : ["It", "runs", "it is"];
  if (outcome === "rejected") {
    return [`Kubernetes does not ${notDoes} ${it}.`, becauseOf(code)].filter(Boolean).join(" ");
  }
  if (!isJudged) return `The policy does not judge objects of kind ${subject.kind}.`;
  if (subject.operation === "DELETE") return "The policy accepts every DELETE.";
  const how = outcome === "mutated" ? "with another RuntimeClass" : `as ${are}`;
  return [`Kubernetes ${does} ${it} ${how}.`, runsWith && `${they} ${run} ${onWhat(runsWith)}.`].filter(Boolean).join(" ");
}

function onWhat(runsWith: string): string {
  return runsWith === DEFAULT ? "on the default runtime of the node" : `with ${runsWith}`;
}

function becauseOf(code: number | undefined): string | undefined {
  if (code === 500) return "The policy can't decide: an operator has to fix the cause.";
  return code === 400 ? "The policy can't read the request." : undefined;
}

export function leftOutSentence(leftOut: LeftOut, subject: Subject, { it }: Subjects): string {
  const why: Record<LeftOut, string> = {
    rules: `rules do not list ${subject.operation} of ${subject.resource}`,
    namespaceSelector: `namespaceSelector leaves out the namespace ${subject.namespace ?? ""}`,
    objectSelector: "objectSelector does not select the labels",
    matchConditions: "matchConditions leave the request out",
  };
  return `Kubernetes ${VERBS[subject.operation][0]} ${it} without asking the policy: its ${why[leftOut]}.`;
}
