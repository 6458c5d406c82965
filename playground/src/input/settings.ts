/** The settings as they were typed: alone, or in the manifest of a policy. The core reads them; this finds their places. */
import { isMap } from "yaml";
import { parseEach, placeOf, problemAt, type Parsed, type Problem } from "./yaml.ts";

export interface TypedSettings {
  document: Parsed;
  /** Where the settings are in the document. */
  path: readonly string[];
  /** The name of the policy that has them; none for settings alone. */
  name?: string;
}

const IN_POLICY = ["spec", "settings"];

/** The settings of the policy of a name, or else of the first policy, or else the first document. */
export function typedSettings(text: string, name?: string | null): TypedSettings {
  const documents = parseEach(text);
  const policies = documents.filter(isPolicy);
  const policy = policies.find((each) => nameOf(each) === name) ?? policies[0];
  if (policy) return { document: policy, path: IN_POLICY, name: nameOf(policy) };
  return { document: documents[0]!, path: [] };
}

function isPolicy({ contents }: Parsed): boolean {
  const [version, kind] = ["apiVersion", "kind"].map((key): unknown => (isMap(contents) ? contents.get(key) : undefined));
  return String(version).startsWith("policies.kubewarden.io/") && (kind === "ClusterAdmissionPolicy" || kind === "AdmissionPolicy");
}

function nameOf(document: Parsed): string {
  return String(document.getIn(["metadata", "name"]) ?? "");
}

/** The place of what the policy complains about: its messages begin with the path of a field. */
export function settingsProblem({ document, path }: TypedSettings, settings: unknown, message: string): Problem {
  const [from, to] = placeOf(document, [...path, ...fieldOf(message, settings)]);
  return { message, from, to, severity: "error" };
}

function fieldOf(message: string, settings: unknown): (string | number)[] {
  const key = /^(\w+): /.exec(message)?.[1] ?? (message.startsWith("fallback runtime ") ? "fallbackRuntime" : undefined);
  if (key === undefined) return [];
  const value = (settings as Record<string, unknown> | null)?.[key];
  const quoted = /^\w+: '([^']*)'/.exec(message)?.[1];
  const entry = Array.isArray(value) ? value.indexOf(quoted) : -1;
  return entry < 0 ? [key] : [key, entry];
}

/** The place of what the core can't read: it names a line, or the path of a field in a manifest. */
export function unreadableProblem(text: string, message: string): Problem {
  const found = /line (\d+): (.*)$/s.exec(message);
  if (found) return problemAt(text, { line: Number(found[1]), message: found[2]! });
  const [, name, field] = /^(?:\w+ (\S+): )?(\w[\w.]*): /.exec(message) ?? [];
  const [from, to] = placeOf(typedSettings(text, name).document, field?.split(".") ?? []);
  return { message, from, to, severity: "error" };
}
