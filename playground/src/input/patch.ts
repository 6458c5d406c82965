/** A JSON patch, and the YAML that it makes of a manifest: comments stay. */
import { Document, isMap, isSeq, Pair, type Node } from "yaml";
import { createPatch } from "rfc6902";
import { parseJson } from "./yaml.ts";
import type { Typed } from "./documents.ts";

export interface Operation {
  op: string;
  path: string;
  value?: unknown;
}

/** The change from an object in JSON to another one. */
export function patchBetween(before: string, after: unknown): Operation[] {
  return createPatch(parseJson(before), after) as Operation[];
}

/** A manifest in YAML before and after a patch. */
export function yamlDiff(typed: Typed | undefined, json: string, text: string, patch: readonly Operation[]): [string, string] {
  const style = styleOf(text);
  const write = (document: Document) => document.toString(style);
  const diff = (document: Document): [string, string] => {
    const before = write(document);
    apply(document, patch);
    return [before, write(document)];
  };
  const plain = () => new Document(parseJson(json));
  try {
    return diff(typed && !isFlow(typed.node) ? own(typed) : plain());
  } catch {
    // The text has an alias whose anchor is in another part of it.
    return diff(plain());
  }
}

function isFlow(node: Node): boolean {
  return isMap(node) && node.flow === true;
}

/** A copy of the document, or of the item of a List. */
function own({ document, node }: Typed): Document {
  if (document.contents === node) return document.clone();
  return new Document(node.clone() as Node);
}

/** The style of a text, to write it again. */
export function styleOf(text: string): { indent: number; indentSeq: boolean; flowCollectionPadding: boolean; lineWidth: 0 } {
  const indent = /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2;
  const indentSeq = !/^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n\1- /m.test(text);
  return { indent: indent > 1 && indent <= 8 ? indent : 2, indentSeq, flowCollectionPadding: /[[{] /.test(text), lineWidth: 0 };
}

/** Applies a patch to a document. */
export function apply(document: Document, patch: readonly Operation[]): void {
  for (const { op, path, value } of patch) {
    const steps = path.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    if (op === "remove") document.deleteIn(steps);
    else if (op === "add") add(document, steps, value);
    else document.setIn(steps, value);
  }
}

/** A new key comes first, where it is seen. */
function add(document: Document, steps: string[], value: unknown): void {
  const parent = document.getIn(steps.slice(0, -1), true);
  const last = steps.at(-1)!;
  const node = document.createNode(value);
  if (isSeq(parent)) parent.items.splice(last === "-" ? parent.items.length : Number(last), 0, node);
  else if (isMap(parent)) parent.items.unshift(new Pair(document.createNode(last), node));
  else document.setIn(steps, value);
}
