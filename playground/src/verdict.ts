/** What happens to a workload, in words. */
import { at, kindOf, nameOf, podOfTemplate, podSpec, classOf, POD, type Kind, type Manifest } from "./kubernetes/kinds.ts";
import { makerOf, userOf } from "./kubernetes/users.ts";
import { patchBetween, type Operation } from "./input/patch.ts";
import type { Workload } from "./input/workload.ts";
import { parseJson, writeJson } from "./input/yaml.ts";
import { sentenceFor, leftOutSentence, type Subjects } from "./sentences.ts";
import { ask, type Judge, type Judged } from "./policy/judge.ts";
import type { Subject } from "./policy/request.ts";

export type Outcome = "accepted" | "mutated" | "rejected" | "notAsked";

export const OUTCOMES: Record<Outcome, string> = {
  accepted: "Accepted",
  mutated: "Mutated",
  rejected: "Rejected",
  notAsked: "Not asked",
};

/** The answer to one request. */
export interface Verdict {
  outcome: Outcome;
  /** The object, as a heading names it: `Pod web`. */
  title: string;
  /** What happens, in one sentence. */
  sentence: string;
  subject: Subject;
  judged: Judged;
  /** The class after it, if there is one. */
  to?: string;
  patch: Operation[];
}

/** The answer to a workload and, if it has a template, to the Pods that it makes. */
export interface Verdicts {
  workload: Workload;
  own: Verdict;
  pods?: Verdict;
}

export function decide(judge: Judge, workload: Workload): Verdicts {
  const { subject, value } = workload;
  const kind = kindOf(subject.group, subject.kind);
  const title = titleOf(subject, value);
  const own = verdict(judge, subject, kind, value, { title, it: `this ${subject.kind}`, areMany: false });
  const pods = subject.operation === "CREATE" && kind ? podsOf(judge, subject, kind, value) : undefined;
  return { workload, own, ...(pods ? { pods } : {}) };
}

function podsOf(judge: Judge, maker: Subject, kind: Kind, value: Manifest): Verdict | undefined {
  const namespace = maker.namespace ?? "default";
  const pod = podOfTemplate(kind, value, namespace);
  const spec = kind.template && maker.object && memberJson(maker.object, [...kind.template, "spec"]);
  if (!pod || !spec) return undefined;
  const object = `${JSON.stringify(pod).slice(0, -1)},"spec":${spec}}`;
  const subject: Subject = {
    group: POD.group,
    version: "v1",
    kind: POD.kind,
    resource: POD.resource,
    namespace,
    operation: "CREATE",
    user: userOf(makerOf(maker.kind), pod.metadata, maker.user),
    labels: pod.metadata?.labels ?? {},
    object,
  };
  const title = `Pods of ${titleOf(maker, value)}`;
  return verdict(judge, subject, POD, { ...pod, spec: podSpec(kind, value) }, { title, it: "its Pods", areMany: true });
}

function titleOf(subject: Subject, value: Manifest): string {
  return [subject.kind, subject.name ?? nameOf(value)].filter(Boolean).join(" ");
}

/** A member of an object, in JSON as it came. */
function memberJson(json: string, path: readonly string[]): string | undefined {
  const value = at(parseJson(json), path);
  return value === undefined ? undefined : writeJson(value);
}

function verdict(judge: Judge, subject: Subject, kind: Kind | undefined, value: Manifest, named: Subjects & { title: string }): Verdict {
  const { title } = named;
  const judged = ask(judge, subject);
  if ("leftOut" in judged) {
    const sentence = leftOutSentence(judged.leftOut, subject, named);
    return { outcome: "notAsked", title, sentence, subject, judged, patch: [] };
  }
  const { answer } = judged;
  const outcome = !answer.allowed ? "rejected" : answer.mutatedObject === undefined ? "accepted" : "mutated";
  const patch = subject.object && outcome === "mutated" ? patchBetween(subject.object, answer.mutatedObject) : [];
  const to = outcome === "mutated" ? classOf(at(answer.mutatedObject, ["spec"])) : undefined;
  const runsWith = kind && (to ?? classOf(podSpec(kind, value)));
  const isPod = kind !== undefined && kind.template === undefined;
  const sentence = sentenceFor({ subject, named, outcome, code: answer.code, isJudged: kind !== undefined, ...(isPod && runsWith ? { runsWith } : {}) });
  return { outcome, title, sentence, subject, judged, patch, ...(to === undefined ? {} : { to }) };
}
