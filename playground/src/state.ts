/** All that a visitor can type or choose about one workload; a link carries it. */
import type { Operation, ReviewRequest } from "./answers.ts";
import type { Access } from "./policy/capabilities.ts";

/** What a manifest does not say of its request. */
export interface Details {
  operation: Operation;
  oldObject: string;
  username: string;
  groups: string;
  namespace: string;
}

export interface State extends Details {
  settings: string;
  workload: string;
  classes: string;
  access: Access;
}

/** What a link or an example need not say. */
export const DEFAULTS: State = {
  settings: "",
  workload: "",
  classes: "",
  access: "granted",
  operation: "CREATE",
  oldObject: "",
  username: "jane",
  groups: "system:authenticated",
  namespace: "default",
};

/** What the core is asked about a state. */
export function requestOf({ settings, classes, workload, oldObject, operation, username, groups, namespace }: State): ReviewRequest {
  return {
    policies: settings,
    cluster: classes,
    namespace: namespace || "default",
    objects: workload,
    before: operation === "UPDATE" ? oldObject : "",
    details: { operation, username, groups: groups.split(/[\s,]+/).filter(Boolean) },
  };
}
