/** The policy's answer to a request, or the part of its manifest by which the API server does not ask it. */
import { NAMESPACE_NAME, needsLabelsOf, selects } from "../kubernetes/selector.ts";
import type { NotEvaluated } from "./conditions.ts";
import type { Answer, Cluster, Policy } from "./policy.ts";
import { head, requestJson, type Subject } from "./request.ts";
import type { Scope } from "./scope.ts";

export type LeftOut = "rules" | "namespaceSelector" | "objectSelector" | "matchConditions";

export type Judged = { leftOut: LeftOut } | { answer: Answer; notEvaluated: NotEvaluated[] };

/** The labels of namespaces, where they are known. */
export type NamespaceLabels = ReadonlyMap<string, Record<string, string>>;

export interface Judge {
  policy: Policy;
  scope: Scope;
  /** In JSON. */
  settings: string;
  cluster: Cluster;
  namespaces: NamespaceLabels;
}

export function ask(judge: Judge, subject: Subject): Judged {
  const { scope } = judge;
  if (!scope.asksFor(subject)) return { leftOut: "rules" };
  const { namespace } = subject;
  if (namespace && !selects(scope.namespaces, (key) => namespaceLabel(judge.namespaces, namespace, key))) {
    return { leftOut: "namespaceSelector" };
  }
  if (!selects(scope.objects, (key) => subject.labels[key])) return { leftOut: "objectSelector" };
  const { matched, failed, notEvaluated } = conditionsOf(scope, subject);
  if (!matched || (failed !== undefined && !scope.failsClosed)) return { leftOut: "matchConditions" };
  if (failed !== undefined) return { answer: failedCondition(failed), notEvaluated };
  const answer = judge.policy.evaluate(requestJson(subject), judge.settings, judge.cluster);
  return { answer: scope.mayMutate ? answer : withoutMutation(scope.id, answer), notEvaluated };
}

/** Whether the answer depends on labels of a namespace that are not known. */
export function lacksLabels({ scope, namespaces }: Judge, namespace: string): boolean {
  return needsLabelsOf(namespace, scope.namespaces) && !namespaces.has(namespace);
}

function namespaceLabel(namespaces: NamespaceLabels, namespace: string, key: string): string | undefined {
  return key === NAMESPACE_NAME ? namespace : namespaces.get(namespace)?.[key];
}

function conditionsOf({ conditions }: Scope, subject: Subject) {
  if (conditions.isEmpty) return { matched: true, notEvaluated: [], failed: undefined };
  const value = (json: string | undefined): unknown => (json === undefined ? null : JSON.parse(json));
  return { failed: undefined, ...conditions.evaluate(head(subject), value(subject.object), value(subject.oldObject)) };
}

function failedCondition(message: string): Answer {
  return { allowed: false, code: 500, message, warnings: [], auditAnnotations: {}, exchanges: [] };
}

/** What policy-server answers when a validating policy mutates. */
function withoutMutation(id: string, answer: Answer): Answer {
  if (answer.mutatedObject === undefined) return answer;
  const { mutatedObject: _, ...rest } = answer;
  const message =
    `Request rejected by policy ${id}. The policy attempted to mutate the request, ` +
    "but it is currently configured to not allow mutations.";
  return { ...rest, allowed: false, message };
}
