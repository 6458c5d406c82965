/** The objects of a dump, whatever it is written in. */
import { isObject, type Manifest } from "../kubernetes/kinds.ts";
import { readAll, toJson } from "../input/yaml.ts";

/** A text to read, and its name. */
export interface Source {
  file: string;
  text: string;
}

export interface Place {
  file: string;
  document: number;
  /** Its position in a List. */
  item: number | null;
}

/** Something that can't be read. */
export type Unreadable = Place & { message: string };

/** An object, with the kind that its List says it has. */
export interface Dumped {
  place: Place;
  object: Manifest;
  apiVersion: string;
  kind: string;
}

export function read(sources: readonly Source[]): { objects: Dumped[]; unreadable: Unreadable[] } {
  const objects: Dumped[] = [];
  const unreadable: Unreadable[] = [];
  for (const source of sources) {
    for (const { value, place, listedAs } of documentsOf(source, unreadable)) {
      const found = objectOf(value, place, listedAs);
      if (typeof found === "string") unreadable.push({ ...place, message: found });
      else objects.push(found);
    }
  }
  return { objects, unreadable };
}

interface Item {
  value: unknown;
  place: Place;
  listedAs?: { apiVersion: string; kind: string };
}

function documentsOf({ file, text }: Source, unreadable: Unreadable[]): Item[] {
  const place = (document: number): Place => ({ file, document, item: null });
  if (!isJson(text)) {
    const { documents, problems } = readAll(text);
    const errors = problems.filter(({ severity }) => severity === "error");
    unreadable.push(...errors.map(({ message }) => ({ ...place(1), message })));
    const whole = documents.filter((document) => document.errors.length === 0);
    return whole.flatMap((document, at) => itemsOf(JSON.parse(toJson(document.contents, document)), place(at + 1)));
  }
  try {
    return itemsOf(JSON.parse(text), place(1));
  } catch (error) {
    unreadable.push({ ...place(1), message: (error as Error).message });
    return [];
  }
}

/** JSON begins with an object whose first key is quoted, or a list of such; YAML may begin with `{` too. */
function isJson(text: string): boolean {
  return /^\s*(?:\{\s*(?:"|\}|$)|\[\s*(?:\{|\]|$))/.test(text);
}

/** A document, or the items of a List as kubectl writes it. */
function itemsOf(value: unknown, place: Place): Item[] {
  if (Array.isArray(value)) return value.map((each, at) => ({ value: each, place: { ...place, item: at + 1 } }));
  const isList = isObject(value) && "items" in value && (value.kind === undefined || String(value.kind).endsWith("List"));
  if (!isList) return [{ value, place }];
  const kind = String(value.kind ?? "").replace(/List$/, "");
  const listedAs = kind ? { listedAs: { apiVersion: String(value.apiVersion ?? ""), kind } } : {};
  const items = Array.isArray(value.items) ? value.items : [];
  return items.map((each, at) => ({ value: each, place: { ...place, item: at + 1 }, ...listedAs }));
}

function objectOf(value: unknown, place: Place, listedAs: Item["listedAs"]): Dumped | string {
  if (!isObject(value)) return "expected an object";
  const own = typeof value.kind === "string" ? { apiVersion: value.apiVersion, kind: value.kind } : listedAs;
  if (!own) return "kind: missing field";
  if (typeof own.apiVersion !== "string") return "apiVersion: missing field";
  if (value.metadata !== undefined && value.metadata !== null && !isObject(value.metadata)) return "metadata: expected an object";
  return { place, object: value, apiVersion: own.apiVersion, kind: own.kind };
}
