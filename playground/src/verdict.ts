/** What happens to a workload, in words. */
import type { Outcome, Place, Review, Reviewed } from "./answers.ts";
import { patchBetween, type Operation } from "./input/patch.ts";
import { sentenceFor, type Subjects } from "./sentences.ts";

export const WORDS: Record<Outcome | "notAsked", string> = {
  error: "Error",
  rejected: "Rejected",
  refused: "Refused",
  mutated: "Mutated",
  accepted: "Accepted",
  notAsked: "Not asked",
};

/** The signs and colors of outcomes. */
export const SIGNS = { error: "rejected", rejected: "rejected", refused: "rejected", mutated: "mutated", accepted: "accepted", notAsked: "notAsked" } as const;

/** What comes of one request. */
export interface Verdict {
  outcome: Outcome | "notAsked";
  /** The object, as a heading names it: `Pod web`. */
  title: string;
  /** What happens, in one sentence. */
  sentence: string;
  reviewed: Reviewed;
  /** The object that the first policy was asked about, and how it is changed. */
  object: unknown;
  patch: Operation[];
  /** Where it was typed; none for what a controller or an API server made of it. */
  place?: Place;
}

/** The verdicts on an object and on the Pods that it makes. */
export function verdictsOf({ own, pods, place, isRecorded }: Review): Verdict[] {
  const title = titleOf(own);
  const first = verdict(own, title, { it: `this ${own.kind}`, areMany: false });
  const rest = pods.map((each) => verdict(each, `Pods of ${title}`, { it: "its Pods", areMany: true }));
  return [isRecorded ? first : { ...first, place }, ...rest];
}

function titleOf({ kind, name }: Reviewed): string {
  return [kind, name].filter(Boolean).join(" ");
}

function verdict(reviewed: Reviewed, title: string, subjects: Subjects): Verdict {
  const outcome = reviewed.leftOutBy === null ? reviewed.outcome! : "notAsked";
  return { outcome, title, sentence: sentenceFor(reviewed, subjects), reviewed, ...changeOf(reviewed) };
}

/** What policies change in an object. */
export function changeOf({ questions }: Reviewed): { object: unknown; patch: Operation[] } {
  const object = questions[0]?.payload.request.object;
  const after = questions.findLast(({ answer }) => answer?.mutated_object)?.answer?.mutated_object;
  return { object, patch: object === undefined || after === undefined ? [] : patchBetween(object, after) };
}
