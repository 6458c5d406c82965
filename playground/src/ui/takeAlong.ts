/** What a visitor can take along: a link, the policy to apply, the page itself. */
import type { TypedSettings } from "../input/settings.ts";
import { VERSION } from "../module.ts";
import { fragmentOf } from "../share.ts";
import type { State } from "../state.ts";
import { manifest } from "../take/manifest.ts";
import { copyButton, el } from "./el.ts";
import { panel } from "./panel.ts";

export interface TakeAlong {
  element: HTMLElement;
  /** @param isValid whether the policy loads with the settings */
  show(state: State, settings: TypedSettings, isValid: boolean, mayRead: boolean): void;
}

export function takeAlong(): TakeAlong {
  let state: State | undefined;
  const link = el("input", { type: "text", readonly: true, "aria-label": "Link to this page as it is", class: "link", hidden: true });
  const share = el("button", { type: "button", onclick: copyLink }, "Copy a link");
  async function copyLink() {
    if (!state) return;
    const fragment = await fragmentOf(state);
    history.replaceState(null, "", fragment);
    link.value = location.href;
    link.hidden = false;
    link.select();
    try {
      await navigator.clipboard.writeText(link.value);
      share.textContent = "Link copied";
      setTimeout(() => (share.textContent = "Copy a link"), 2000);
    } catch {
      // The link is there, selected.
    }
  }

  const policy = el("code", {});
  const policyPart = el(
    "details",
    { class: "more" },
    el("summary", {}, "The ClusterAdmissionPolicy, ready to apply"),
    el("div", { class: "code" }, el("pre", { tabindex: "0" }, policy), copyButton(() => policy.textContent ?? "", "Copy the manifest")),
  );
  const hint = "The link contains what you typed. It is in the part after #, which no browser sends to a server.";
  const { element } = panel("Take it along", hint, el("div", { class: "row" }, share, link), policyPart);
  return {
    element,
    show(shown, settings, isValid, mayRead) {
      state = shown;
      policyPart.hidden = !isValid;
      if (!isValid) return;
      policy.textContent = settings.isPolicy ? settings.document.toString({ lineWidth: 0 }) : manifest(settings, mayRead, VERSION);
    },
  };
}
