/** A titled part of the page. */
import { el, newId, type Child } from "./el.ts";

export function panel(title: string, hint: Child, ...children: Child[]): { element: HTMLElement; hint: HTMLElement } {
  const id = newId("panel");
  const hintElement = el("p", { class: "hint", id: `${id}-hint` }, hint);
  const heading = el("div", { class: "panel-head" }, el("h2", { id }, title), hintElement);
  return { element: el("section", { class: "panel", "aria-labelledby": id }, heading, ...children), hint: hintElement };
}
