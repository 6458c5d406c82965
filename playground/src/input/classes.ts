/** The RuntimeClasses of the cluster, as they were typed. */
import type { RuntimeClass } from "../policy/capabilities.ts";
import { objectsOf, type Typed } from "./documents.ts";
import { placeOf, type Problem } from "./yaml.ts";

export function readClasses(text: string): { classes: RuntimeClass[]; problems: Problem[] } {
  const { objects, problems } = objectsOf(text);
  const classes: RuntimeClass[] = [];
  for (const object of objects) {
    const problem = problemOf(object);
    if (problem) problems.push(problem);
    else classes.push(classFrom(object.value));
  }
  return { classes, problems };
}

/** An item of a List may leave its kind out, and the policy asks by it. */
export function classFrom(value: Record<string, unknown>): RuntimeClass {
  return { ...value, apiVersion: "node.k8s.io/v1", kind: "RuntimeClass" } as RuntimeClass;
}

function problemOf({ document, node, value }: Typed): Problem | undefined {
  const [start, end] = (node.range ?? [0, 0]) as [number, number];
  const whole = { from: start, to: Math.min(end, start + 1) };
  if (value.kind !== undefined && value.kind !== "RuntimeClass") {
    return { ...whole, severity: "warning", message: `${String(value.kind)} is not a RuntimeClass: ignored` };
  }
  const name = (value.metadata as { name?: unknown } | undefined)?.name;
  if (typeof name !== "string") return { ...whole, severity: "error", message: "metadata.name: expected a string" };
  if (typeof value.handler !== "string") {
    const [from, to] = document.contents === node ? placeOf(document, ["handler"]) : [whole.from, whole.to];
    return { from, to, severity: "error", message: "handler: expected a string" };
  }
  return undefined;
}
