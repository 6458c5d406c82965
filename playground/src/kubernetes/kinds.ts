/** The kinds that have a pod spec, and the Pods that they make. */

/** What an object is, as far as it says. */
export interface Manifest {
  apiVersion?: unknown;
  kind?: unknown;
  metadata?: Metadata | null;
  [key: string]: unknown;
}

export interface Metadata {
  name?: string;
  generateName?: string;
  namespace?: string;
  labels?: Record<string, string> | null;
  annotations?: Record<string, string> | null;
  ownerReferences?: Owner[] | null;
}

export interface Owner {
  kind: string;
  name: string;
  controller?: boolean;
}

/** A kind that has a pod spec. */
export interface Kind {
  group: string;
  kind: string;
  resource: string;
  /** Where it has the template of its Pods; none for a Pod. */
  template?: readonly string[];
}

export const POD: Kind = { group: "", kind: "Pod", resource: "pods" };

const TEMPLATE = ["spec", "template"];

const KINDS: readonly Kind[] = [
  POD,
  { group: "", kind: "ReplicationController", resource: "replicationcontrollers", template: TEMPLATE },
  { group: "", kind: "PodTemplate", resource: "podtemplates", template: ["template"] },
  { group: "apps", kind: "Deployment", resource: "deployments", template: TEMPLATE },
  { group: "apps", kind: "ReplicaSet", resource: "replicasets", template: TEMPLATE },
  { group: "apps", kind: "StatefulSet", resource: "statefulsets", template: TEMPLATE },
  { group: "apps", kind: "DaemonSet", resource: "daemonsets", template: TEMPLATE },
  { group: "batch", kind: "Job", resource: "jobs", template: TEMPLATE },
  { group: "batch", kind: "CronJob", resource: "cronjobs", template: ["spec", "jobTemplate", "spec", "template"] },
];

/** The kind of a name in a group, if it has a pod spec. */
export function kindOf(group: string, kind: string): Kind | undefined {
  return KINDS.find((each) => each.group === group && each.kind === kind);
}

/** The resource of a kind, which its URL has. */
export function resourceOf(group: string, kind: string): string {
  const known = kindOf(group, kind)?.resource;
  const name = kind.toLowerCase();
  return known ?? (/(?:s|x|ch|sh)$/.test(name) ? `${name}es` : /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`);
}

/** `apps/v1` in its two parts. */
export function groupVersion(apiVersion: string): { group: string; version: string } {
  const [first = "", version] = apiVersion.split("/", 2);
  return version === undefined ? { group: "", version: first } : { group: first, version };
}

/** The value at a path of members. */
export function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((each, key) => (isObject(each) && Object.hasOwn(each, key) ? each[key] : undefined), value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The pod spec of an object of a kind. */
export function podSpec(kind: Kind, object: unknown): unknown {
  return at(object, [...(kind.template ?? []), "spec"]);
}

/** A Pod without its spec, as the controller of `maker` creates it from its template. */
export function podOfTemplate(kind: Kind, maker: Manifest, namespace: string): Manifest | undefined {
  const template = kind.template && at(maker, kind.template);
  if (!isObject(template) || !isObject(template.spec)) return undefined;
  const { labels, annotations } = (template.metadata ?? {}) as Metadata;
  const metadata = { generateName: `${nameOf(maker)}-`, namespace, ...(labels && { labels }), ...(annotations && { annotations }) };
  return { apiVersion: "v1", kind: "Pod", metadata };
}

/** Its name; with a `-` at its end if the API server makes one from it. */
export function nameOf({ metadata }: Manifest): string {
  return metadata?.name ?? metadata?.generateName ?? "";
}

/** The owner that made an object. */
export function controllerOf(metadata: Metadata | null | undefined): Owner | undefined {
  return metadata?.ownerReferences?.find((owner) => owner.controller === true);
}

/** The class of a workload that names none, as audit annotations have it. */
export const DEFAULT = "(default)";

/** The class that a pod spec names. */
export function classOf(spec: unknown): string {
  const name = isObject(spec) ? spec.runtimeClassName : undefined;
  if (name === undefined || name === null || name === "") return DEFAULT;
  return typeof name === "string" ? name : JSON.stringify(name);
}
