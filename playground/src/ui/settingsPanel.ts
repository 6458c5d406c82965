/** The settings: a form and their YAML, in step. */
import { yamlLanguage } from "@codemirror/lang-yaml";
import { FIELDS, valueOf, withValue, type Field, type FieldValue } from "../input/form.ts";
import { typedSettings } from "../input/settings.ts";
import type { Problem } from "../input/yaml.ts";
import { editor } from "./editor.ts";
import { completeSettings } from "./completion.ts";
import { el, fill, newId } from "./el.ts";
import { panel } from "./panel.ts";

export interface SettingsPanel {
  element: HTMLElement;
  text: string;
  /**
   * Brings the form and the problems in step with the text.
   *
   * @param settings those of the form; none if they can't be read
   */
  show(settings: unknown, problems: readonly Problem[]): void;
  /** The classes that fields and completion offer. */
  offer(classes: readonly string[]): void;
  /** Chooses another fallback, as if it were typed. */
  chooseFallback(name: string, policy: string | null): void;
}

export function settingsPanel(changed: (text: string) => void): SettingsPanel {
  let isRead = false;
  const code = editor({
    label: "Settings in YAML, or ClusterAdmissionPolicies",
    changed: () => changed(code.text),
    extensions: yamlLanguage.data.of({ autocomplete: completeSettings(() => classNames) }),
  });
  let classNames: readonly string[] = [];
  const names = el("datalist", { id: newId("classes") });
  const set = (key: string, policy?: string | null) => (value: FieldValue) => {
    if (!isRead) return;
    code.text = withValue(code.text, typedSettings(code.text, policy), key, value);
    changed(code.text);
  };
  const fields = FIELDS.map((field) => formField(field, set(field.key), names.id));
  const form = el("form", { class: "form", "aria-label": "Settings", onsubmit: (event: Event) => event.preventDefault() });
  form.append(...fields.map(({ element }) => element), names);
  const hint = "Fill in the form, write YAML, or paste a whole ClusterAdmissionPolicy, or several.";
  const { element } = panel("Settings", hint, el("div", { class: "beside" }, form, code.element));

  return {
    element,
    get text() {
      return code.text;
    },
    set text(text) {
      code.text = text;
    },
    show(settings, problems) {
      isRead = settings !== undefined;
      for (const { field, show } of fields) show(valueOf(field, settings ?? {}), !isRead);
      code.show(problems);
    },
    offer(classes) {
      classNames = classes;
      fill(names, ...classes.map((value) => el("option", { value })));
    },
    chooseFallback: (name, policy) => set("fallbackRuntime", policy)(name),
  };
}

interface FormField {
  field: Field;
  element: HTMLElement;
  show(value: FieldValue, disabled: boolean): void;
}

function formField(field: Field, changed: (value: FieldValue) => void, names: string): FormField {
  const id = newId("field");
  const help = el("details", { class: "help" }, el("summary", { "aria-label": `About: ${field.label}` }, "?"), el("p", { id: `${id}-help` }, field.help));
  const label = el("label", { for: id }, field.label);
  if (field.kind === "flag") {
    const input = el("input", { id, type: "checkbox", "aria-describedby": `${id}-help`, onchange: () => changed(input.checked || undefined) });
    const element = el("div", { class: "field flag" }, input, label, help);
    return { field, element, show: (value, disabled) => void Object.assign(input, { checked: value === true, disabled }) };
  }
  if (field.kind === "choice") {
    const { options } = field;
    const select = el("select", { id, "aria-describedby": `${id}-help`, onchange: () => changed(options[select.selectedIndex]?.[1]) });
    select.append(...options.map(([text]) => el("option", {}, text)));
    const show = (value: FieldValue, disabled: boolean) => {
      select.selectedIndex = options.findIndex(([, each]) => each === value);
      select.disabled = disabled;
    };
    return { field, element: el("div", { class: "field" }, label, help, select), show };
  }
  const read = (text: string): FieldValue => (field.kind === "list" ? text.split(/[\s,]+/).filter(Boolean) : text.trim());
  const input = el("input", {
    id,
    type: "text",
    spellcheck: "false",
    autocomplete: "off",
    "aria-describedby": `${id}-help`,
    placeholder: field.kind === "list" ? "none" : "none: reject",
    list: field.kind === "text" ? names : undefined,
    oninput: () => changed(read(input.value)),
  });
  const show = (value: FieldValue, disabled: boolean) => {
    input.disabled = disabled;
    // What is being typed stays as it is typed: "kata, " is on its way to a second entry.
    if (JSON.stringify(read(input.value)) !== JSON.stringify(value)) input.value = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  };
  return { field, element: el("div", { class: "field" }, label, help, input), show };
}
