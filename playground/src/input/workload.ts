/** What is asked about, as a person writes it: manifests, or a recorded AdmissionReview. */
import { isMap, isScalar } from "yaml";
import { groupVersion, isObject, resourceOf, type Manifest } from "../kubernetes/kinds.ts";
import { OPERATIONS, type Operation, type Subject } from "../policy/request.ts";
import { objectsOf, type Typed } from "./documents.ts";
import { toJson, type Problem } from "./yaml.ts";

/** What a manifest does not say of its request. */
export interface Details {
  operation: Operation;
  oldObject: string;
  username: string;
  groups: string;
  namespace: string;
}

/** An object and the request about it. */
export interface Workload {
  subject: Subject;
  /** Where it was typed; none for the object of an AdmissionReview. */
  typed?: Typed;
  value: Manifest;
  /** Where its text begins. */
  from: number;
}

export interface Workloads {
  workloads: Workload[];
  /** Whether it is a recorded request, which has its own details. */
  isRecorded: boolean;
  problems: Problem[];
  oldProblems: Problem[];
}

/** The fields that policy-server passes on, unless they are null. */
const REQUEST_FIELDS = new Set(
  ("uid kind resource subResource requestKind requestResource requestSubResource name namespace operation userInfo object " +
    "oldObject dryRun options").split(" "),
);

export function readWorkloads(text: string, details: Details): Workloads {
  const { objects, problems } = objectsOf(text);
  const old = details.operation === "UPDATE" ? objectsOf(details.oldObject) : { objects: [], problems: [] };
  const recorded = objects.filter((object) => recordedIn(object) !== undefined);
  const workloads: Workload[] = [];
  for (const object of objects) {
    const request = recordedIn(object);
    if (request) workloads.push(recordedWorkload(object, request));
    else if (isManifest(object.value)) workloads.push(typedWorkload(object, details, old.objects));
    else problems.push(notAManifest(object));
  }
  return { workloads, isRecorded: recorded.length > 0, problems, oldProblems: old.problems };
}

function isManifest(value: Record<string, unknown>): value is Record<string, unknown> & { apiVersion: string; kind: string } {
  return typeof value.apiVersion === "string" && typeof value.kind === "string";
}

function notAManifest({ node, value }: Typed): Problem {
  const missing = typeof value.kind === "string" ? "apiVersion" : "kind";
  const from = node.range?.[0] ?? 0;
  return { message: `${missing}: missing field`, from, to: from + 1, severity: "error" };
}

/** The AdmissionRequest that a document is or has. */
function recordedIn({ node, value }: Typed): unknown {
  const isReview = value.kind === "AdmissionReview" && isObject(value.request);
  if (isReview && isMap(node)) return node.get("request", true);
  return isObject(value.kind) && typeof value.operation === "string" ? node : undefined;
}

function recordedWorkload({ document, node, value }: Typed, request: unknown): Workload {
  const pairs = isMap(request) ? request.items : [];
  const members = pairs.flatMap(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : "";
    const json = toJson(value, document);
    return REQUEST_FIELDS.has(name) && json !== "null" ? [[name, json] as const] : [];
  });
  const fields = new Map(members);
  const recorded = `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
  const parsed = ((value.request as object | undefined) ?? value) as Record<string, unknown>;
  const kind = (isObject(parsed.kind) ? parsed.kind : {}) as { group?: string; version?: string; kind?: string };
  const object = (parsed.object ?? parsed.oldObject ?? {}) as Manifest;
  const operation = OPERATIONS.find((each) => each === parsed.operation) ?? "CREATE";
  const user = (isObject(parsed.userInfo) ? parsed.userInfo : {}) as { username?: string; groups?: string[] };
  const resource = (isObject(parsed.resource) ? parsed.resource : {}) as { resource?: string };
  const group = kind.group ?? "";
  return {
    subject: {
      group,
      version: kind.version ?? "",
      kind: String(kind.kind ?? ""),
      resource: resource.resource ?? resourceOf(group, String(kind.kind ?? "")),
      operation,
      user: { username: user.username ?? "", groups: user.groups ?? [] },
      labels: (isObject(object) && object.metadata?.labels) || {},
      ...member("uid", parsed.uid),
      ...member("name", parsed.name),
      ...member("namespace", parsed.namespace),
      ...member("subResource", parsed.subResource),
      ...member("object", fields.get("object")),
      ...member("oldObject", fields.get("oldObject")),
      recorded,
    },
    value: isObject(object) ? object : {},
    from: node.range?.[0] ?? 0,
  };
}

function member<Key extends string>(key: Key, value: unknown): { [key in Key]?: string } {
  return typeof value === "string" ? ({ [key]: value } as { [key in Key]?: string }) : {};
}

function typedWorkload(typed: Typed, details: Details, old: Typed[]): Workload {
  const value = typed.value as Manifest & { apiVersion: string; kind: string };
  const { group, version } = groupVersion(value.apiVersion);
  const { kind } = value;
  const metadata = isObject(value.metadata) ? value.metadata : {};
  const named = (each: Typed) => each.value.kind === kind && (each.value.metadata as Manifest["metadata"])?.name === metadata.name;
  const before = (old.find(named) ?? (old.length === 1 ? old[0] : undefined))?.json;
  const { operation } = details;
  const objects = {
    CREATE: { object: typed.json },
    UPDATE: { object: typed.json, ...(before === undefined ? {} : { oldObject: before }) },
    DELETE: { oldObject: typed.json },
  }[operation];
  const subject: Subject = {
    group,
    version,
    kind,
    resource: resourceOf(group, kind),
    ...member("name", metadata.name),
    namespace: typeof metadata.namespace === "string" ? metadata.namespace : details.namespace || "default",
    operation,
    user: { username: details.username, groups: details.groups.split(/[\s,]+/).filter(Boolean) },
    labels: isObject(metadata.labels) ? (metadata.labels as Record<string, string>) : {},
    ...objects,
  };
  return { subject, typed, value, from: typed.node.range?.[0] ?? 0 };
}
