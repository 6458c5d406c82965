/** What a visitor can take along: a link, the policy to apply, the page itself. */
import type { KnownPolicy } from "../answers.ts";
import { manifest } from "../export/clusterAdmissionPolicy.ts";
import { VERSION } from "../module.ts";
import { fragmentOf } from "../share.ts";
import type { State } from "../state.ts";
import { copyButton, el } from "./el.ts";
import { panel } from "./panel.ts";

export interface TakeAlong {
  element: HTMLElement;
  /** @param policies those that load; none if they can't be used */
  show(state: State, policies: readonly KnownPolicy[]): void;
}

/** @param render renders policies, in a cluster with certain RuntimeClasses, for the native engine */
export function takeAlong(render: (policies: string, classes: string) => Promise<string>): TakeAlong {
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
  const native = el("code", {});
  const nativePart = el(
    "details",
    { class: "more", ontoggle: () => void showNative() },
    el("summary", {}, "The same inside the API server, without Kubewarden"),
    el("p", { class: "hint" }, "Native policies, as kubectl runtime-class native prints them. They know the RuntimeClasses that you typed."),
    el("div", { class: "code" }, el("pre", { tabindex: "0" }, native), copyButton(() => native.textContent ?? "", "Copy the native policies")),
  );

  async function showNative() {
    if (!nativePart.open || !state) return;
    native.textContent = await render(policy.textContent ?? "", state.classes).catch((error: Error) => `# ${error.message}`);
  }

  const hint = "The link contains what you typed. It is in the part after #, which no browser sends to a server.";
  const { element } = panel("Take it along", hint, el("div", { class: "row" }, share, link), policyPart, nativePart);
  return {
    element,
    show(shown, [first]) {
      state = shown;
      policyPart.hidden = nativePart.hidden = first === undefined;
      if (!first) return;
      const settings = (first.settings ?? {}) as Record<string, unknown>;
      policy.textContent = first.name !== null ? shown.settings : manifest(settings, shown.access !== "not-granted", VERSION);
      void showNative();
    },
  };
}
