/** A JSON patch, and the YAML that it makes of a manifest: comments stay. */
import { Document, isMap, isNode, isSeq, Pair, type Node } from "yaml";
import { applyPatch, createPatch } from "rfc6902";

export interface Operation {
  op: string;
  path: string;
  value?: unknown;
}

/** The change from an object to another one. */
export function patchBetween(before: unknown, after: unknown): Operation[] {
  return createPatch(before, after) as Operation[];
}

/** An object as it was typed. */
export interface Typed {
  document: Document;
  node: Node;
}

/**
 * A manifest in YAML before and after a patch.
 *
 * @param typed the manifest; none: the object is shown whole
 * @param object what the policy was asked about: the manifest with what the API server adds
 */
export function yamlDiff(typed: Typed | undefined, object: unknown, text: string, patch: readonly Operation[]): [string, string] {
  const style = styleOf(text);
  const write = (document: Document) => document.toString(style);
  const diff = (document: Document): [string, string] => {
    const before = write(document);
    apply(document, structuredClone(object), patch);
    return [before, write(document)];
  };
  const whole = () => new Document(object);
  try {
    return diff(typed && !isFlow(typed.node) ? own(typed) : whole());
  } catch {
    // The change is in what the API server adds, or an alias has its anchor in another part of the text.
    return diff(whole());
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

/**
 * Applies a patch of an object to a document, which may lack parts of it.
 *
 * @throws Error the document has something else at a place
 */
function apply(document: Document, object: unknown, patch: readonly Operation[]): void {
  for (const operation of patch) {
    const { op, path, value } = operation;
    const steps = path.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const [typed, wanted] = [document.getIn(steps), steps.reduce(memberOf, object)];
    if (op === "add") add(document, steps, value);
    else if (typed !== undefined && !isPartOf(plain(typed), wanted)) throw new Error(`${path} is something else`);
    else if (op === "replace") document.setIn(steps, value);
    else if (typed !== undefined) document.deleteIn(steps);
    applyPatch(object, [operation as Parameters<typeof applyPatch>[1][number]]);
  }
}

function memberOf(value: unknown, step: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
}

function plain(value: unknown): unknown {
  return isNode(value) ? value.toJSON() : value;
}

/** Whether an object has all that a part of it has. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (typeof part !== "object" || part === null) return String(part) === String(whole);
  return Object.entries(part).every(([key, value]) => isPartOf(value, memberOf(whole, key)));
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
