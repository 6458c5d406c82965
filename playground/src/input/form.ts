/** The settings as the fields of a form: texts, kinds, values, and a change of one in the YAML. */
import { isMap, parse } from "yaml";
import questionsText from "../../../questions-ui.yml?raw";
import schema from "../../../settings.schema.json";
import { styleOf } from "./patch.ts";
import type { Parsed } from "./yaml.ts";
import type { TypedSettings } from "./settings.ts";

export type FieldKind = "list" | "text" | "flag" | "choice";
export type FieldValue = string[] | string | boolean | undefined;

export interface Field {
  key: string;
  kind: FieldKind;
  label: string;
  help: string;
  /** The values of a choice, and what they are called. Undefined: the key is left out. */
  options: [string, FieldValue][];
}

/** What matters of a property of the schema. */
interface Property {
  title: string;
  description: string;
  default?: unknown;
  enum?: unknown[];
  anyOf?: { enum?: unknown[] }[];
}

interface Question {
  variable: string;
  label: string;
  tooltip: string;
}

const QUESTIONS = (parse(questionsText) as { questions: Question[] }).questions;

/** The fields, in the order and the words of `questions-ui.yml`; the schema has the rest. */
export const FIELDS: readonly Field[] = Object.entries(schema.properties as Record<string, Property>)
  .map(([key, property]) => {
    const at = QUESTIONS.findIndex(({ variable }) => variable === key);
    const question = QUESTIONS[at];
    const { title: label, description: help } = question ? { title: question.label, description: question.tooltip } : property;
    const field = { key, kind: kindOf(property), label, help: help.replaceAll("`", "").trim(), options: optionsOf(property) };
    return { ...field, at: at < 0 ? QUESTIONS.length : at };
  })
  .sort((a, b) => a.at - b.at)
  .map(({ at: _, ...field }) => field);

function kindOf(property: Property): FieldKind {
  if ("$ref" in property) return "list";
  if (wordsOf(property).length > 0) return "choice";
  if (JSON.stringify(property).includes('"pattern"')) return "text";
  return "default" in property ? "flag" : "choice";
}

/** The texts that a property may have, if it lists them. */
function wordsOf(property: Property): string[] {
  const listed = [property, ...(property.anyOf ?? [])].flatMap((each) => each.enum ?? []);
  return listed.filter((value): value is string => typeof value === "string" && value !== "");
}

function optionsOf(property: Property): Field["options"] {
  const words = wordsOf(property);
  if (words.length > 0) return [["Not set", undefined], ...words.map((word): [string, string] => [word, word])];
  return [
    ["Automatic", undefined],
    ["Yes", true],
    ["No", false],
  ];
}

/** The value of a field, if it has one of its kind. */
export function valueOf({ key, kind, options }: Field, settings: unknown): FieldValue {
  const value: unknown = settings === null || typeof settings !== "object" ? undefined : (settings as Record<string, unknown>)[key];
  switch (kind) {
    case "list":
      return Array.isArray(value) ? value.map(String) : [];
    case "text":
      return typeof value === "string" ? value : "";
    case "flag":
      return value === true;
    case "choice":
      return options.find(([, each]) => each === value)?.[1];
  }
}

/** The text with another value of a field; comments stay. */
export function withValue(text: string, { document: typed, path, name }: TypedSettings, key: string, value: FieldValue): string {
  const document = typed.clone() as Parsed;
  const isLeftOut = value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
  if (isLeftOut) document.deleteIn([...path, key]);
  else document.setIn([...path, key], Array.isArray(value) ? document.createNode(value, { flow: true }) : value);
  const isEmpty = !isMap(document.contents) || document.contents.items.length === 0;
  const written = isEmpty ? "" : document.toString(styleOf(text));
  const [start, , end] = typed.range;
  return name === undefined ? written : text.slice(0, start) + written + text.slice(end);
}
