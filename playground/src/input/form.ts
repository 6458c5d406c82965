/** The settings as the fields of a form: texts, kinds, values, and a change of one in the YAML. */
import { parse } from "yaml";
import questionsText from "../../../questions-ui.yml?raw";
import schema from "../../../settings.schema.json";
import { styleOf } from "./patch.ts";
import { toJson, type Parsed } from "./yaml.ts";
import type { TypedSettings } from "./settings.ts";

export type FieldKind = "list" | "text" | "flag" | "choice";
export type FieldValue = string[] | string | boolean | undefined;

export interface Field {
  key: string;
  kind: FieldKind;
  label: string;
  help: string;
}

interface Question {
  variable: string;
  label: string;
  tooltip: string;
}

const QUESTIONS = (parse(questionsText) as { questions: Question[] }).questions;

/** The fields, in the order and the words of `questions-ui.yml`; the schema has the rest. */
export const FIELDS: readonly Field[] = Object.entries(schema.properties)
  .map(([key, property]) => {
    const at = QUESTIONS.findIndex(({ variable }) => variable === key);
    const question = QUESTIONS[at];
    const { title: label, description: help } = question ? { title: question.label, description: question.tooltip } : property;
    return { key, kind: kindOf(property), label, help: help.replaceAll("`", "").trim(), at: at < 0 ? QUESTIONS.length : at };
  })
  .sort((a, b) => a.at - b.at)
  .map(({ at: _, ...field }) => field);

function kindOf(property: object): FieldKind {
  if ("$ref" in property) return "list";
  if (JSON.stringify(property).includes('"pattern"')) return "text";
  return "default" in property ? "flag" : "choice";
}

/** The value of a field, if it has one of its kind. */
export function valueOf({ key, kind }: Field, { json }: TypedSettings): FieldValue {
  const settings: unknown = JSON.parse(json);
  const value: unknown = settings === null || typeof settings !== "object" ? undefined : (settings as Record<string, unknown>)[key];
  switch (kind) {
    case "list":
      return Array.isArray(value) ? value.map(String) : [];
    case "text":
      return typeof value === "string" ? value : "";
    case "flag":
      return value === true;
    case "choice":
      return typeof value === "boolean" ? value : undefined;
  }
}

/** The text with another value of a field; comments stay. */
export function withValue(text: string, settings: TypedSettings, key: string, value: FieldValue): string {
  const { path } = settings;
  const document = settings.document.clone() as Parsed;
  const isLeftOut = value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
  if (isLeftOut) document.deleteIn([...path, key]);
  else document.setIn([...path, key], Array.isArray(value) ? document.createNode(value, { flow: true }) : value);
  const written = toJson(document.contents, document) === "{}" ? "" : document.toString(styleOf(text));
  const [start, , end] = settings.document.range;
  return settings.isPolicy ? text.slice(0, start) + written + text.slice(end) : written;
}
