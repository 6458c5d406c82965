/** The examples to pick from. */
import { EXAMPLES, type Example } from "../examples.ts";
import { el, newId } from "./el.ts";

export interface ExamplePicker {
  element: HTMLElement;
  /** Shows which one is on the page; none once it was changed. */
  show(example: Example | undefined): void;
}

export function examplePicker(picked: (example: Example) => void): ExamplePicker {
  const id = newId("examples");
  const own = el("option", { value: "" }, "Your own");
  const select = el("select", { id, onchange: chosen }, own, ...EXAMPLES.map(({ id, title }) => el("option", { value: id }, title)));
  const shows = el("p", { class: "hint", "aria-live": "polite" });
  function chosen() {
    const example = EXAMPLES.find((each) => each.id === select.value);
    if (example) picked(example);
  }
  return {
    element: el("div", { class: "examples" }, el("label", { for: id }, "Example"), select, shows),
    show(example) {
      select.value = example?.id ?? "";
      shows.textContent = example?.shows ?? "";
    },
  };
}
