/** All that a visitor can type or choose about one workload; a link carries it. */
import type { Details } from "./input/workload.ts";
import type { Access } from "./policy/capabilities.ts";

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
