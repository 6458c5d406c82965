/** The workload, and what its manifest does not say of its request. */
import { OPERATIONS, type Operation } from "../answers.ts";
import type { Problem } from "../input/yaml.ts";
import type { Details } from "../state.ts";
import { editor } from "./editor.ts";
import { el, newId } from "./el.ts";
import { panel } from "./panel.ts";

export interface WorkloadPanel {
  element: HTMLElement;
  text: string;
  details: Details;
  show(problems: readonly Problem[], oldProblems: readonly Problem[], isRecorded: boolean): void;
}

export function workloadPanel(changed: () => void): WorkloadPanel {
  const code = editor({ label: "Workload in YAML or JSON", changed });
  const old = editor({ label: "Object before the update", changed });

  const operation = el("select", { id: newId("operation"), onchange: operationChanged }, ...OPERATIONS.map((each) => el("option", {}, each)));
  const text = (id: string) => el("input", { id: newId(id), type: "text", spellcheck: "false", autocomplete: "off", oninput: changed });
  const [namespace, username, groups] = [text("namespace"), text("user"), text("groups")];
  const field = (label: string, input: HTMLElement) => el("div", { class: "field" }, el("label", { for: input.id }, label), input);
  const oldPart = el("div", { class: "old" }, el("h3", {}, "Object before the update"), old.element);
  const fields = el("fieldset", { class: "grid" }, el("legend", { class: "visually-hidden" }, "Request"));
  fields.append(field("Operation", operation), field("Namespace", namespace), field("User", username), field("Groups", groups));
  const note = el("p", { class: "hint" }, "The AdmissionReview has its own.");
  const summary = el("summary", {}, "Request details");
  const details = el("details", { class: "more" }, summary, fields, note, oldPart);

  function operationChanged() {
    if (operation.value === "UPDATE" && old.text === "") old.text = code.text;
    changed();
  }

  const hint = "Paste yours: a Pod, Deployment, DaemonSet, CronJob or any other kind, or a recorded AdmissionReview.";
  const { element } = panel("Workload", hint, code.element, details);
  element.classList.add("workload");

  return {
    element,
    get text() {
      return code.text;
    },
    set text(text) {
      code.text = text;
    },
    get details() {
      return {
        operation: operation.value as Operation,
        oldObject: old.text,
        username: username.value,
        groups: groups.value,
        namespace: namespace.value,
      };
    },
    set details(values: Details) {
      operation.value = values.operation;
      old.text = values.oldObject;
      username.value = values.username;
      groups.value = values.groups;
      namespace.value = values.namespace;
    },
    show(problems, oldProblems, isRecorded) {
      code.show(problems);
      old.show(oldProblems);
      fields.disabled = isRecorded;
      note.hidden = !isRecorded;
      oldPart.hidden = isRecorded || operation.value !== "UPDATE";
      const parts = [operation.value, `namespace ${namespace.value || "default"}`, `user ${username.value}`];
      summary.textContent = isRecorded ? "Request details: those of the AdmissionReview" : `Request details: ${parts.join(", ")}`;
    },
  };
}
