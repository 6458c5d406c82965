/** The RuntimeClasses of the cluster, and whether the policy may read them. */
import type { Problem } from "../input/yaml.ts";
import { ACCESSES, type Access } from "../policy/capabilities.ts";
import { editor } from "./editor.ts";
import { el, newId } from "./el.ts";
import { panel } from "./panel.ts";

const WORDS: Record<Access, string> = {
  granted: "granted",
  "not-granted": "not granted",
  failing: "can't be read",
};

export interface ClassesPanel {
  element: HTMLElement;
  text: string;
  access: Access;
  show(problems: readonly Problem[]): void;
  /** @param given whether a policy's manifest gives access; none with settings alone */
  give(given: boolean | undefined): void;
}

export function classesPanel(changed: () => void): ClassesPanel {
  const code = editor({ label: "RuntimeClasses in YAML or JSON", changed });
  const name = newId("access");
  const radios = ACCESSES.map((access) => el("input", { type: "radio", name, value: access, onchange: changed }));
  const labels = radios.map((radio, at) => el("label", {}, radio, WORDS[ACCESSES[at]!]));
  const access = el("fieldset", { class: "switch" }, el("legend", {}, "Access of the policy"), ...labels);
  const note = el("p", { class: "hint" }, "The manifest's contextAwareResources do not list RuntimeClass: not granted.");
  const { element } = panel("RuntimeClasses", "Those of your cluster: kubectl get runtimeclasses -o yaml", access, note, code.element);

  return {
    element,
    get text() {
      return code.text;
    },
    set text(text) {
      code.text = text;
    },
    get access() {
      return ACCESSES[radios.findIndex((radio) => radio.checked)] ?? "granted";
    },
    set access(access) {
      for (const radio of radios) radio.checked = radio.value === access;
    },
    show: (problems) => code.show(problems),
    give(given) {
      access.disabled = given === false;
      note.hidden = given !== false;
    },
  };
}
