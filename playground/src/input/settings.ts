/** The settings as they were typed: alone, or in the manifest of a policy. */
import { isMap } from "yaml";
import { everything, isPolicy, scopeOf, type Scope } from "../policy/scope.ts";
import { placeOf, readEach, toJson, type Parsed, type Problem } from "./yaml.ts";

export interface TypedSettings {
  /** In JSON; `{}` for none. */
  json: string;
  scope: Scope;
  document: Parsed;
  /** Where the settings are in the document. */
  path: readonly string[];
  /** Whether a whole policy was given. */
  isPolicy: boolean;
  problems: Problem[];
}

const IN_POLICY = ["spec", "settings"];

export function readSettings(text: string): TypedSettings {
  const documents = readEach(text);
  const policy = documents.find(({ document }) => isPolicy(plain(document)));
  const { document, problems } = policy ?? documents[0]!;
  const path = policy ? IN_POLICY : [];
  const node = policy ? document.getIn(path, true) : document.contents;
  const json = node === undefined || node === null ? "{}" : toJson(node, document);
  return {
    json: json === "null" ? "{}" : json,
    scope: policy && problems.length === 0 ? scopeOf(plain(document) as Record<string, unknown>) : everything(),
    document,
    path,
    isPolicy: policy !== undefined,
    problems,
  };
}

function plain(document: Parsed): unknown {
  return document.errors.length === 0 && isMap(document.contents) ? JSON.parse(toJson(document.contents, document)) : undefined;
}

/** The place of what the policy complains about: its messages begin with the path of a field. */
export function settingsProblem({ document, path, json }: TypedSettings, message: string): Problem {
  const [from, to] = placeOf(document, [...path, ...fieldOf(message, json)]);
  return { message, from, to, severity: "error" };
}

function fieldOf(message: string, json: string): (string | number)[] {
  const key = /^(\w+): /.exec(message)?.[1] ?? (message.startsWith("fallback runtime ") ? "fallbackRuntime" : undefined);
  if (key === undefined) return [];
  const value: unknown = JSON.parse(json)?.[key];
  const quoted = /^\w+: '([^']*)'/.exec(message)?.[1];
  const entry = Array.isArray(value) ? value.indexOf(quoted) : -1;
  return entry < 0 ? [key] : [key, entry];
}
