/** What happens to an object, as a person says it. */
import type { LeftOutBy, Operation, Reviewed } from "./answers.ts";

/** What a sentence calls its object: `this Pod`, `its Pods`. */
export interface Subjects {
  it: string;
  areMany: boolean;
}

/** The class of a workload that names none, as audit annotations have it. */
const DEFAULT = "(default)";

const VERBS: Record<Operation, [string, string]> = {
  CREATE: ["creates", "create"],
  UPDATE: ["updates", "update"],
  DELETE: ["deletes", "delete"],
};

export function sentenceFor(reviewed: Reviewed, { it, areMany }: Subjects): string {
  const { operation, outcome, code, hasPodSpec, kind, leftOutBy } = reviewed;
  const [does, notDoes] = VERBS[operation];
  const [they, run, are] = areMany ? ["They", "run", "they are"] : ["It", "runs", "it is"];
  if (leftOutBy !== null) return `Kubernetes ${does} ${it} without asking the policy: its ${because(leftOutBy, reviewed)}.`;
  if (outcome === "refused") return `Kubernetes itself refuses to ${notDoes} ${it}.`;
  if (outcome === "rejected" || outcome === "error") return [`Kubernetes does not ${notDoes} ${it}.`, becauseOf(code)].filter(Boolean).join(" ");
  if (!hasPodSpec) return `The policy does not judge objects of kind ${kind}.`;
  if (operation === "DELETE") return "The policy accepts every DELETE.";
  const how = outcome === "mutated" ? "with another RuntimeClass" : `as ${are}`;
  const runsWith = kind === "Pod" ? `${they} ${run} ${onWhat(reviewed.to ?? reviewed.class ?? DEFAULT)}.` : "";
  return [`Kubernetes ${does} ${it} ${how}.`, runsWith].filter(Boolean).join(" ");
}

function onWhat(runsWith: string): string {
  return runsWith === DEFAULT ? "on the default runtime of the node" : `with ${runsWith}`;
}

function becauseOf(code: number | null | undefined): string | undefined {
  if (code === 500) return "The policy can't decide: an operator has to fix the cause.";
  return code === 400 ? "The policy can't read the request." : undefined;
}

function because(part: LeftOutBy, { operation, resource, namespace }: Reviewed): string {
  const why: Record<LeftOutBy, string> = {
    rules: `rules do not list ${operation} of ${resource}`,
    namespaceSelector: `namespaceSelector leaves out the namespace ${namespace}`,
    objectSelector: "objectSelector does not select the labels",
    matchConditions: "matchConditions leave the request out",
  };
  return why[part];
}
