/** Tabs, by the pattern of the ARIA guide: arrow keys move between them. */
import { el } from "./el.ts";

export interface Tabs<View extends string> {
  show(view: View): void;
}

export function tabs<View extends string>(list: Element, titles: Record<View, string>, shown: (view: View) => void): Tabs<View> {
  const views = Object.keys(titles) as View[];
  const tabOf = (view: View) =>
    el("button", { type: "button", role: "tab", id: `tab-${view}`, "aria-controls": "main", onclick: () => show(view), onkeydown: (event: KeyboardEvent) => move(event, view) }, titles[view]);
  const buttons = new Map(views.map((view) => [view, tabOf(view)]));
  list.append(...buttons.values());

  function show(view: View) {
    for (const [each, button] of buttons) {
      button.setAttribute("aria-selected", String(each === view));
      button.tabIndex = each === view ? 0 : -1;
    }
    shown(view);
  }

  function move({ key }: KeyboardEvent, view: View) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (step === undefined) return;
    const next = views.at((views.indexOf(view) + step) % views.length)!;
    show(next);
    buttons.get(next)?.focus();
  }

  return { show };
}
