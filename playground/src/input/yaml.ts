/** Places in YAML, and JSON that keeps its digits. */
import { isMap, isScalar, isSeq, parseAllDocuments, parseDocument, type Document, type Node, type ParsedNode } from "yaml";
import type { Unreadable } from "../answers.ts";

/** Something wrong in a text, from one character to another. */
export interface Problem {
  message: string;
  from: number;
  to: number;
  severity: "error" | "warning";
}

export type Parsed = Document.Parsed<ParsedNode>;

/** The documents of a text, at least one, to find places in them. The core reads what is in them. */
export function parseEach(text: string): Parsed[] {
  const options = { version: "1.2", schema: "core", merge: true, intAsBigInt: true, prettyErrors: false, uniqueKeys: false } as const;
  const documents = [...parseAllDocuments<ParsedNode>(text, options)] as Parsed[];
  return documents.length > 0 ? documents : [parseDocument<ParsedNode>("", options)];
}

/** JSON from a module or a file. Integers beyond 2^53 keep their digits. */
export function parseJson(text: string): unknown {
  return /\d{16}/.test(text) ? parseDocument(text, { schema: "json", intAsBigInt: true }).toJS() : JSON.parse(text);
}

/** JSON with those integers. */
export function writeJson(value: unknown, indent?: number): string {
  if (indent === undefined && !hasBigInt(value)) return JSON.stringify(value);
  const mark = "\u0000";
  const marked = JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${mark}${each}${mark}` : each), indent);
  return marked.replaceAll(/"\\u0000(-?\d+)\\u0000"/g, "$1");
}

function hasBigInt(value: unknown): boolean {
  if (typeof value === "bigint") return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasBigInt);
}

/** Where a part of a document is: the deepest node on the path that is there. */
export function placeOf(document: Parsed, path: readonly (string | number)[]): [number, number] {
  let node: unknown = document.contents;
  let place = rangeOf(node) ?? [0, 0];
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.source ?? key.value) === String(step));
      if (!pair) break;
      place = rangeOf(pair.key) ?? place;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      place = rangeOf(node) ?? place;
    } else break;
  }
  return place;
}

function rangeOf(node: unknown): [number, number] | undefined {
  const range = (node as { range?: [number, number, number] | null } | null)?.range;
  return range ? [range[0], range[1]] : undefined;
}

/** The first character of a line, which counts from 1. */
function lineStart(text: string, line: number): number {
  let at = 0;
  for (let before = 1; before < line; before += 1) at = text.indexOf("\n", at) + 1 || text.length;
  return at;
}

/** What the core can't read, at its line. */
export function problemAt(text: string, { line, message }: Pick<Unreadable, "line" | "message">): Problem {
  const from = lineStart(text, line);
  const end = text.indexOf("\n", from);
  const severity = message.endsWith(": ignored") ? "warning" : "error";
  return { message: message.replace(/^line \d+: /, ""), from, to: end < 0 ? text.length : end, severity };
}

/** The node of an object at a place, if it is YAML that can be written again. */
export function nodeAt(text: string, { line, item }: Pick<Unreadable, "line" | "item">): { document: Parsed; node: Node } | undefined {
  const end = text.indexOf("\n", lineStart(text, line));
  const starts = (document: Parsed) => document.contents !== null && document.contents.range[0] <= (end < 0 ? text.length : end);
  const document = parseEach(text).findLast(starts);
  if (!document || document.errors.length > 0) return undefined;
  const steps = item === null ? [] : String(item).split(".").map(Number);
  const node = steps.reduce<unknown>((list, step) => {
    const items = isMap(list) ? list.get("items", true) : list;
    return isSeq(items) ? items.items[step - 1] : undefined;
  }, document.contents);
  return isMap(node) ? { document, node } : undefined;
}
