/** The policy's answer to each object of a dump, as if it were created now. */
import { at, classOf, controllerOf, groupVersion, kindOf, podOfTemplate, podSpec, POD, type Kind } from "../kubernetes/kinds.ts";
import { makerOf, userOf, type User } from "../kubernetes/users.ts";
import { ask, lacksLabels, type Judge, type LeftOut } from "../policy/judge.ts";
import type { Answer } from "../policy/policy.ts";
import type { Subject } from "../policy/request.ts";
import type { Dumped } from "./documents.ts";
import { takenAway } from "./sandbox.ts";
import type { Tally, Verdict } from "./tally.ts";

const SOMEBODY: User = { username: "rehearsal", groups: ["system:authenticated"] };

/** The namespace of an object that names none. */
const NAMESPACE = "default";

/** What is asked about, and its pod spec. */
interface Asked {
  subject: Subject;
  spec: unknown;
}

/** The verdict on an object, or why there is none. */
export function judge(judge: Judge, dumped: Dumped, tally: Tally): { leftOut: LeftOut } | { verdict: Verdict } | undefined {
  const { group } = groupVersion(dumped.apiVersion);
  const kind = kindOf(group, dumped.kind);
  if (!kind) return undefined;
  const own = verdictOn(judge, askedOf(dumped, kind), tally);
  const pod = podOf(dumped, kind);
  return pod ? ownAndPods(own, verdictOn(judge, pod, tally)) : own;
}

/** The request that creates an object of a dump. */
export function askedOf({ object, apiVersion, kind: name }: Dumped, kind: Kind): Asked {
  const { group, version } = groupVersion(apiVersion);
  const metadata = object.metadata ?? {};
  const subject: Subject = {
    group,
    version,
    kind: name,
    resource: kind.resource,
    ...(metadata.name === undefined ? {} : { name: metadata.name }),
    namespace: metadata.namespace ?? NAMESPACE,
    operation: "CREATE",
    user: userOf(controllerOf(metadata)?.kind, metadata, SOMEBODY),
    labels: metadata.labels ?? {},
    object: JSON.stringify(object),
  };
  return { subject, spec: podSpec(kind, object) };
}

/** The request that creates a Pod of the template of an object. */
export function podOf({ object, kind: name }: Dumped, kind: Kind): Asked | undefined {
  const namespace = object.metadata?.namespace ?? NAMESPACE;
  const head = podOfTemplate(kind, object, namespace);
  if (!head) return undefined;
  const spec = podSpec(kind, object);
  const subject: Subject = {
    group: POD.group,
    version: "v1",
    kind: POD.kind,
    resource: POD.resource,
    namespace,
    operation: "CREATE",
    user: userOf(makerOf(name), head.metadata, SOMEBODY),
    labels: head.metadata?.labels ?? {},
    object: JSON.stringify({ ...head, spec }),
  };
  return { subject, spec };
}

type Judged = { leftOut: LeftOut } | { verdict: Verdict };

function verdictOn(judge: Judge, { subject, spec }: Asked, tally: Tally): Judged {
  const judged = ask(judge, subject);
  const namespace = subject.namespace ?? NAMESPACE;
  const isReached = !("leftOut" in judged) || judged.leftOut !== "rules";
  if (isReached && lacksLabels(judge, namespace)) tally.withoutLabels(namespace);
  if ("leftOut" in judged) return judged;
  for (const { name, why } of judged.notEvaluated) tally.notEvaluated(name, why);
  return { verdict: verdictOf(judge, judged.answer, spec) };
}

function verdictOf({ cluster }: Judge, answer: Answer, spec: unknown): Verdict {
  const { allowed, code = null, message = null, warnings, auditAnnotations, mutatedObject } = answer;
  const named = auditAnnotations["requested-runtime-class"] ?? classOf(spec);
  const verdict: Verdict = { outcome: "accepted", class: named, to: null, code: null, message: null, fields: [] };
  if (!allowed) return { ...verdict, outcome: code === 500 ? "error" : "rejected", code, message };
  const warning = warnings.length === 0 ? null : warnings.join("; ");
  if (mutatedObject === undefined) return { ...verdict, message: warning };
  const after = at(mutatedObject, ["spec"]);
  const to = String(at(after, ["runtimeClassName"]) ?? "");
  const fields = takenAway(after, cluster.classes.find(({ metadata }) => metadata.name === to));
  return { ...verdict, outcome: "mutated", to, message: warning, fields };
}

/** What comes of a template: its own verdict if it is not let in, else that of its Pods. */
function ownAndPods(own: Judged, pods: Judged): Judged {
  if ("leftOut" in own) return pods;
  if (own.verdict.outcome !== "accepted" || "leftOut" in pods) return own;
  // The warning says whose Pods they are.
  const isTold = own.verdict.message !== null && pods.verdict.outcome === "mutated";
  return !isTold ? pods : { verdict: { ...pods.verdict, message: own.verdict.message } };
}

