/** Completion of the settings, from their schema. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import schema from "../../../settings.schema.json";
import { FIELDS, type Field } from "../input/form.ts";

const KEYS: Completion[] = Object.entries(schema.properties).map(([key, { description }]) => ({
  label: key,
  apply: `${key}: `,
  type: "property",
  info: description,
}));

/** Completes keys at the start of a line, and values after a key. */
export function completeSettings(classes: () => readonly string[]) {
  return (context: CompletionContext): CompletionResult | null => {
    const key = context.matchBefore(/^\s*\w*/);
    if (key) {
      const typed = key.text.trimStart();
      return typed || context.explicit ? { from: key.to - typed.length, options: KEYS, validFor: /^\w*$/ } : null;
    }
    const value = context.matchBefore(/^\s*\w+:\s+.*/);
    const field = FIELDS.find((each) => value?.text.trimStart().startsWith(`${each.key}:`));
    if (!value || !field) return null;
    const word = context.matchBefore(/[\w.-]*$/);
    const labels = labelsOf(field) ?? classes();
    return { from: word?.from ?? context.pos, options: labels.map((label) => ({ label })) };
  };
}

/** The values of a field that has only a few. */
function labelsOf({ kind, options }: Field): string[] | undefined {
  if (kind !== "flag" && kind !== "choice") return undefined;
  const words = options.flatMap(([, value]) => (value === undefined ? [] : [String(value)]));
  return kind === "flag" ? ["true", "false"] : words;
}
