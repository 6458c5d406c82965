/** An [AdmissionRequest](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/), as policy-server passes it on. */
import type { User } from "../kubernetes/users.ts";

export const OPERATIONS = ["CREATE", "UPDATE", "DELETE"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What is asked about. The objects are JSON as they came. */
export interface Subject {
  uid?: string;
  group: string;
  version: string;
  kind: string;
  resource: string;
  name?: string;
  namespace?: string;
  operation: Operation;
  subResource?: string;
  user: User;
  labels: Record<string, string>;
  object?: string;
  oldObject?: string;
  /** The whole request, where one was recorded. */
  recorded?: string;
}

const UID = "00000000-0000-0000-0000-000000000000";

/** The request without its objects: what match conditions look at, beside them. */
export function head(subject: Subject): Record<string, unknown> {
  const { group, version, kind, resource, name, namespace, operation, user } = subject;
  return {
    uid: subject.uid ?? UID,
    kind: { group, version, kind },
    resource: { group, version, resource },
    requestKind: { group, version, kind },
    requestResource: { group, version, resource },
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: { username: user.username, groups: user.groups },
    dryRun: true,
  };
}

/** The request in JSON. */
export function requestJson(subject: Subject): string {
  if (subject.recorded !== undefined) return subject.recorded;
  const objects: [string, string | undefined][] = [
    ["object", subject.object],
    ["oldObject", subject.oldObject],
  ];
  const members = objects.flatMap(([key, json]) => (json === undefined ? [] : [`,"${key}":${json}`]));
  return `${JSON.stringify(head(subject)).slice(0, -1)}${members.join("")}}`;
}
