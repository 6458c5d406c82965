/** The objects of a text: documents, and the items of Lists as kubectl writes them. */
import { isMap, isSeq, type Node } from "yaml";
import { readAll, toJson, type Parsed, type Problem } from "./yaml.ts";

/** An object as it was typed. */
export interface Typed {
  document: Parsed;
  node: Node;
  /** Its JSON, every digit and every key as typed. */
  json: string;
  /** The same, to look at. */
  value: Record<string, unknown>;
}

export function objectsOf(text: string): { objects: Typed[]; problems: Problem[] } {
  const { documents, problems } = readAll(text);
  if (problems.some(({ severity }) => severity === "error")) return { objects: [], problems };
  const objects: Typed[] = [];
  for (const document of documents) {
    for (const node of itemsOf(document)) {
      if (isMap(node)) objects.push(typed(document, node));
      else problems.push({ ...rangeOf(node), severity: "error", message: "expected an object" });
    }
  }
  return { objects, problems };
}

function itemsOf(document: Parsed): unknown[] {
  const root: unknown = document.contents;
  const kind = isMap(root) ? root.get("kind") : undefined;
  const items = isMap(root) && typeof kind === "string" && kind.endsWith("List") ? root.get("items", true) : root;
  return isSeq(items) ? items.items : [items];
}

function typed(document: Parsed, node: Node): Typed {
  const json = toJson(node, document);
  return { document, node, json, value: JSON.parse(json) };
}

function rangeOf(node: unknown): { from: number; to: number } {
  const range = (node as { range?: [number, number, number] } | null)?.range;
  return { from: range?.[0] ?? 0, to: range?.[1] ?? 0 };
}
