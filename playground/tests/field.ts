/** The cases of `test_data/field`, which the tests of the core have as well, and how a report differs from what is right. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../test_data/field/", import.meta.url);

export const pathOf = (name: string): string => fileURLToPath(new URL(name, FOLDER));

export const bytesOf = (name: string): Uint8Array => readFileSync(pathOf(name));

interface Case {
  name: string;
  input: string[];
  settings?: string;
  policies?: string[];
  /** Null: those of the input alone. */
  classes?: string | null;
  report: unknown;
}

export const CASES: Case[] = JSON.parse(new TextDecoder().decode(bytesOf("cases.json")));

/** The policies or the settings of a case, as text. */
export function policiesOf({ settings = "settings.json", policies = [settings] }: Case): string {
  return policies.map((name) => new TextDecoder().decode(bytesOf(name))).join("\n---\n");
}

export function classesOf({ classes = "classes.yml" }: Case): string[] {
  return classes === null ? [] : [classes];
}

/**
 * How a report differs from the part that a case gives. Fields are compared by their paths, messages and notes by a part
 * of their words, and a list by all of its items.
 */
export function differences(found: any, wanted: any, path = ""): string[] {
  const key = path.split(".").at(-1);
  const different = [`${path}: ${JSON.stringify(found)} in place of ${JSON.stringify(wanted)}`];
  if (key === "fields" && Array.isArray(found)) return JSON.stringify(found.map((field) => field.path)) === JSON.stringify(wanted) ? [] : different;
  if (key === "notes") return wanted.every((part: string) => found.some((note: string) => note.includes(part))) ? [] : different;
  if (key === "message" && typeof found === "string" && typeof wanted === "string") return found.includes(wanted) ? [] : different;
  if (Array.isArray(wanted) && found?.length !== wanted.length) return different;
  if (typeof wanted !== "object" || wanted === null) return found === wanted ? [] : different;
  return Object.entries(wanted).flatMap(([each, part]) => differences(found?.[each], part, `${path}.${each}`));
}
