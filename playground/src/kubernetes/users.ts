/** Who creates an object: its controller, the node of a mirror Pod, or a person. */
import { controllerOf, type Metadata } from "./kinds.ts";

export interface User {
  username: string;
  groups: readonly string[];
}

const CONTROLLERS: Record<string, string> = {
  CronJob: "cronjob-controller",
  DaemonSet: "daemon-set-controller",
  Deployment: "deployment-controller",
  Job: "job-controller",
  ReplicaSet: "replicaset-controller",
  StatefulSet: "statefulset-controller",
};

const MIRROR = "kubernetes.io/config.mirror";

/** The kind whose controller creates the Pods of a workload. */
export function makerOf(kind: string): string {
  return { Deployment: "ReplicaSet", CronJob: "Job" }[kind] ?? kind;
}

/** The user of a request that a kind's controller sends, or a node, or else `person`. */
export function userOf(maker: string | undefined, metadata: Metadata | null | undefined, person: User): User {
  const controller = maker === undefined ? undefined : CONTROLLERS[maker];
  if (controller) {
    return {
      username: `system:serviceaccount:kube-system:${controller}`,
      groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
    };
  }
  const owner = controllerOf(metadata);
  if (owner?.kind === "Node" && metadata?.annotations?.[MIRROR] !== undefined) {
    return { username: `system:node:${owner.name}`, groups: ["system:nodes", "system:authenticated"] };
  }
  return person;
}
