/** The manifest of a policy: what it is asked about, and with which settings. */
import { isObject } from "../kubernetes/kinds.ts";
import { NAMESPACE_NAME, type Selector } from "../kubernetes/selector.ts";
import { Conditions, type Condition } from "./conditions.ts";

interface Rule {
  apiGroups?: string[];
  apiVersions?: string[];
  resources?: string[];
  operations?: string[];
  scope?: string;
}

/** The spec of a [ClusterAdmissionPolicy](https://docs.kubewarden.io/reference/CRDs), as far as it matters here. */
interface Spec {
  rules?: Rule[];
  mutating?: boolean;
  mode?: string;
  failurePolicy?: string;
  matchPolicy?: string;
  matchConditions?: Condition[] | null;
  namespaceSelector?: Selector | null;
  objectSelector?: Selector | null;
  contextAwareResources?: { apiVersion?: string; kind?: string }[] | null;
  allowInsideAdmissionControllerNamespace?: boolean;
  allowInsideKubewardenNamespace?: boolean;
}

export interface Asked {
  group: string;
  version: string;
  resource: string;
  operation: string;
  subResource?: string;
}

/** What a policy is asked about. */
export interface Scope {
  /** The policy's name; none with settings alone. */
  name?: string;
  asksFor(request: Asked): boolean;
  namespaces: Selector;
  objects: Selector;
  conditions: Conditions;
  /** Whether a request is rejected whose match conditions fail. */
  failsClosed: boolean;
  mayReadClasses: boolean;
  /** The name of its webhook. */
  id: string;
  mayMutate: boolean;
  /** What limits an answer, in sentences. */
  notes: string[];
}

/** Settings alone: everything is asked. */
export function everything(): Scope {
  return {
    asksFor: () => true,
    namespaces: {},
    objects: {},
    conditions: new Conditions([]),
    failsClosed: true,
    mayReadClasses: true,
    id: "clusterwide-pod-runtime-class",
    mayMutate: true,
    notes: [],
  };
}

/** Whether an object is a policy of Kubewarden. */
export function isPolicy(object: unknown): boolean {
  if (!isObject(object)) return false;
  const { apiVersion, kind } = object;
  const isOfKubewarden = typeof apiVersion === "string" && apiVersion.startsWith("policies.kubewarden.io/");
  return isOfKubewarden && (kind === "ClusterAdmissionPolicy" || kind === "AdmissionPolicy");
}

/** Reads a policy's manifest. */
export function scopeOf(policy: Record<string, unknown>): Scope {
  const spec = (isObject(policy.spec) ? policy.spec : {}) as Spec;
  const metadata = (isObject(policy.metadata) ? policy.metadata : {}) as { name?: string; namespace?: string };
  const isNamespaced = policy.kind === "AdmissionPolicy";
  const name = String(metadata.name ?? "");
  const id = isNamespaced && metadata.namespace ? `namespaced-${metadata.namespace}-${name}` : `clusterwide-${name}`;
  return {
    name,
    asksFor: (request) => !spec.rules || spec.rules.some((rule) => covers(rule, request, spec.matchPolicy !== "Exact")),
    namespaces: isNamespaced
      ? namespaceOf(spec, metadata.namespace ?? "default")
      : namespacesOf(spec, !(spec.allowInsideAdmissionControllerNamespace ?? spec.allowInsideKubewardenNamespace)),
    objects: spec.objectSelector ?? {},
    conditions: new Conditions(spec.matchConditions ?? []),
    failsClosed: spec.failurePolicy !== "Ignore",
    mayReadClasses: !isNamespaced && (spec.contextAwareResources ?? []).some(isRuntimeClass),
    id,
    mayMutate: spec.mutating === true,
    notes: notesOf(spec),
  };
}

function isRuntimeClass({ apiVersion, kind }: { apiVersion?: string; kind?: string }): boolean {
  return apiVersion === "node.k8s.io/v1" && kind === "RuntimeClass";
}

/** Kubewarden's controller copies the expressions alone, and leaves its own namespace out. */
function namespacesOf(spec: Spec, leaveOut: boolean): Selector {
  const own = { key: NAMESPACE_NAME, operator: "NotIn", values: ["kubewarden"] };
  return { matchExpressions: [...(spec.namespaceSelector?.matchExpressions ?? []), ...(leaveOut ? [own] : [])] };
}

function namespaceOf(spec: Spec, namespace: string): Selector {
  return { ...namespacesOf(spec, false), matchLabels: { [NAMESPACE_NAME]: namespace } };
}

/** See [matching requests](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules). */
function covers(rule: Rule, request: Asked, anyVersion: boolean): boolean {
  const lists = (list: string[] | undefined, wanted: string) => list?.some((entry) => entry === "*" || entry === wanted) ?? false;
  const { resource, subResource } = request;
  const resources = subResource
    ? ["*/*", `${resource}/*`, `*/${subResource}`, `${resource}/${subResource}`]
    : ["*", "*/*", resource];
  return (
    lists(rule.operations, request.operation) &&
    lists(rule.apiGroups, request.group) &&
    (anyVersion || lists(rule.apiVersions, request.version)) &&
    (rule.resources ?? []).some((entry) => resources.includes(entry)) &&
    rule.scope !== "Cluster"
  );
}

function notesOf(spec: Spec): string[] {
  const notes: string[] = [];
  if (spec.mode === "monitor") notes.push("The policy has mode: monitor. This page shows mode: protect.");
  if (Object.keys(spec.namespaceSelector?.matchLabels ?? {}).length > 0) {
    notes.push("Kubewarden ignores namespaceSelector.matchLabels, and so does this page: use matchExpressions.");
  }
  return notes;
}
