/** YAML as Kubernetes reads it, with the places of what is in it. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  parseDocument,
  type Document,
  type Node,
  type ParsedNode,
  type ScalarTag,
  type SchemaOptions,
  type YAMLMap,
} from "yaml";

/** Something wrong in a text, from one character to another. */
export interface Problem {
  message: string;
  from: number;
  to: number;
  severity: "error" | "warning";
}

export type Parsed = Document.Parsed<ParsedNode>;

/** Kubernetes takes the booleans of YAML 1.1 as well. */
const oldBooleans: ScalarTag[] = [
  [true, /^(?:[Yy]|[Yy]es|YES|[Oo]n|ON)$/] as const,
  [false, /^(?:[Nn]|[Nn]o|NO|[Oo]ff|OFF)$/] as const,
].map(([value, test]) => ({ tag: "tag:yaml.org,2002:bool", default: true, test, resolve: () => value }));

const SCHEMA: SchemaOptions = { schema: "core", merge: true, customTags: (tags) => [...tags, ...oldBooleans] };
const OPTIONS = { ...SCHEMA, version: "1.2", intAsBigInt: true, prettyErrors: false } as const;

/** All documents of a text that are not empty. A duplicate key is an error, as for kubectl. */
export function readAll(text: string): { documents: Parsed[]; problems: Problem[] } {
  const documents = [...parseAllDocuments<ParsedNode>(text, OPTIONS)] as Parsed[];
  return { documents: documents.filter((each) => !isEmpty(each)), problems: documents.flatMap(problemsOf) };
}

/** Each document; at least one. A key may be duplicate: the policy has its own words for that. */
export function readEach(text: string): { document: Parsed; problems: Problem[] }[] {
  const options = { ...OPTIONS, uniqueKeys: false };
  const documents = [...parseAllDocuments<ParsedNode>(text, options)] as Parsed[];
  return (documents.length === 0 ? [parseDocument<ParsedNode>("", options)] : documents).map((document) => ({ document, problems: problemsOf(document) }));
}

function isEmpty(document: Parsed): boolean {
  return document.errors.length === 0 && (document.contents === null || isNull(document.contents));
}

function isNull(node: unknown): boolean {
  return isScalar(node) && node.value === null && !node.source;
}

function problemsOf(document: Parsed): Problem[] {
  const problem = (severity: Problem["severity"]) => (error: { message: string; pos: [number, number] }) => {
    const [from, to] = error.pos;
    return { message: error.message.split("\n", 1)[0] ?? "", from, to: Math.max(to, from), severity };
  };
  return [...document.errors.map(problem("error")), ...document.warnings.map(problem("warning"))];
}

/** A node in JSON. Numbers keep their digits, and duplicate keys stay. */
export function toJson(node: unknown, document: Document<Node, boolean>): string {
  if (isAlias(node)) return toJson(node.resolve(document), document);
  if (isMap(node)) {
    const members = membersOf(node, document).map(([key, value]) => `${JSON.stringify(key)}:${toJson(value, document)}`);
    return `{${members.join(",")}}`;
  }
  if (isSeq(node)) return `[${node.items.map((item) => toJson(item, document)).join(",")}]`;
  if (!isScalar(node)) return "null";
  const { value, source } = node;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return source && isJsonNumber(source) ? source : JSON.stringify(value);
  return JSON.stringify(value) ?? "null";
}

function isJsonNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text);
}

/** The members of a map; those that it merges (`<<`) come last, unless it has them itself. */
function membersOf(map: YAMLMap, document: Document<Node, boolean>): [string, unknown][] {
  const pairs = map.items.map(({ key, value }): [string, unknown] => [keyText(key), value]);
  const own = pairs.filter(([key]) => key !== "<<");
  const merged = pairs
    .filter(([key]) => key === "<<")
    .flatMap(([, value]) => (isSeq(value) ? value.items : [value]))
    .map((value) => (isAlias(value) ? value.resolve(document) : value))
    .flatMap((value) => (isMap(value) ? membersOf(value, document) : []));
  const known = new Set(own.map(([key]) => key));
  return [...own, ...merged.filter(([key]) => !known.has(key) && known.add(key))];
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(isNull(key) ? "" : (key.source ?? key.value)) : String(key);
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
      const pair = node.items.find(({ key }) => keyText(key) === String(step));
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
