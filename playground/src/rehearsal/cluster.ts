/** What a dump says of the cluster: its RuntimeClasses, its namespaces, and who made what. */
import { classFrom } from "../input/classes.ts";
import { controllerOf, groupVersion, nameOf, type Metadata } from "../kubernetes/kinds.ts";
import type { RuntimeClass } from "../policy/capabilities.ts";
import type { Dumped } from "./documents.ts";

/** The workload that a report names. */
export interface Made {
  kind: string;
  name: string;
}

/** A Pod, its Job, its CronJob: Kubernetes goes no further. */
const GENERATIONS = 4;

export class Cluster {
  readonly classes = new Map<string, RuntimeClass>();
  readonly namespaces = new Map<string, Record<string, string>>();
  /** What made a controller that is in the dump. */
  readonly #makers = new Map<string, Made | undefined>();

  constructor(objects: readonly Dumped[]) {
    for (const { object, apiVersion, kind } of objects) {
      const { group } = groupVersion(apiVersion);
      const name = nameOf(object);
      const metadata = object.metadata ?? {};
      if (group === "node.k8s.io" && kind === "RuntimeClass") this.classes.set(name, classFrom(object));
      if (group === "" && kind === "Namespace") this.namespaces.set(name, metadata.labels ?? {});
      const isMade = (group === "apps" && kind === "ReplicaSet") || (group === "batch" && kind === "Job");
      if (isMade) this.#makers.set(keyOf(metadata.namespace, { kind, name }), controllerOf(metadata));
    }
  }

  /** The workload that an object belongs to: the last of its controllers, or itself. */
  workload({ object, kind }: Dumped): Made {
    const metadata = object.metadata ?? {};
    const owner = controllerOf(metadata);
    if (!owner || owner.kind === "Node") return { kind, name: nameOf(object) };
    let made: Made = { kind: owner.kind, name: owner.name };
    for (let generation = 0; generation < GENERATIONS; generation += 1) {
      const key = keyOf(metadata.namespace, made);
      if (!this.#makers.has(key)) return deploymentOf(made, metadata) ?? made;
      const maker = this.#makers.get(key);
      if (!maker) break;
      made = { kind: maker.kind, name: maker.name };
    }
    return made;
  }
}

function keyOf(namespace: string | undefined, { kind, name }: Made): string {
  return JSON.stringify([namespace ?? "", kind, name]);
}

/** The Deployment of a ReplicaSet that is not in the dump. */
function deploymentOf({ kind, name }: Made, { labels }: Metadata): Made | undefined {
  const hash = labels?.["pod-template-hash"];
  const isOne = kind === "ReplicaSet" && hash !== undefined && name.endsWith(`-${hash}`);
  return isOne ? { kind: "Deployment", name: name.slice(0, -hash.length - 1) } : undefined;
}
