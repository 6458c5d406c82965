/** The two views, their addresses, and the part that they share: the settings. */
import firstAnswer from "virtual:first-answer";
import { exampleOf } from "../examples.ts";
import { Cores, type Loaded } from "../module.ts";
import { stateOf } from "../share.ts";
import { clusterView } from "./clusterView.ts";
import { el, fill } from "./el.ts";
import { foot } from "./foot.ts";
import { settingsPanel } from "./settingsPanel.ts";
import { tabs } from "./tabs.ts";
import { check, settingsOfForm } from "./typedPolicies.ts";
import { workloadView } from "./workloadView.ts";

const CLUSTER = "#cluster";

export async function page(loaded: Loaded): Promise<void> {
  const announce = announcer();
  const cores = new Cores(loaded.policy);
  const changed = () => {
    edited();
    void refresh();
  };
  const settings = settingsPanel(changed);
  const many = clusterView({
    policy: loaded.module,
    policies: () => settings.text,
    check: () => check(settings.text, cores, loaded.policy),
    choose: (name, policy) => settings.chooseFallback(name, policy),
    announce,
  });
  const native = async (policies: string, classes: string) => (await cores.large()).native(policies, classes);
  const one = workloadView({ settingsPart: settings, native, announce, changed });

  const skip = document.querySelector<HTMLAnchorElement>("#skip")!;
  const left = el("div", { class: "left" });
  const columns = el("div", { class: "columns" }, left);
  document.querySelector("#main")!.append(columns, one.summary);
  const views = tabs(document.querySelector("#views")!, { workload: "One workload", cluster: "My cluster" }, (view) => {
    const [examples, ...editors] = one.left;
    const isOne = view === "workload";
    fill(left, ...(isOne ? [examples, settings.element, ...editors] : [...many.left, settings.element]));
    fill(columns, left, isOne ? one.right : many.right);
    columns.dataset.view = view;
    one.summary.hidden = !isOne;
    skip.textContent = isOne ? "Skip to the verdict" : "Skip to the rehearsal";
    skip.href = isOne ? "#verdict" : "#rehearsal";
  });

  let refreshes = 0;

  /** Shows what comes of what is on the page now. */
  async function refresh(): Promise<void> {
    const own = (refreshes += 1);
    document.body.ariaBusy = "true";
    const { text } = settings;
    const checked = one.isFirst ? firstAnswer : await check(text, cores, loaded.policy);
    if (own !== refreshes) return;
    settings.show(settingsOfForm(text, checked.policies), "problem" in checked && checked.problem ? [checked.problem.at] : []);
    one.show(checked);
    many.refresh();
    document.body.ariaBusy = "false";
  }

  /** The address no longer tells what is on the page. */
  function edited() {
    if (location.hash && location.hash !== CLUSTER) history.replaceState(null, "", location.pathname + location.search);
  }

  async function follow() {
    const { hash } = location;
    document.querySelector(".fatal")?.remove();
    try {
      const state = await stateOf(hash);
      const example = exampleOf(/^#example=(.*)$/.exec(hash)?.[1] ?? "");
      if (state) one.state = state;
      else if (example) one.open(example);
      if (state || example) views.show("workload");
      else if (hash === CLUSTER) views.show("cluster");
    } catch (error) {
      const message = `The link can't be opened: ${(error as Error).message}.`;
      columns.before(el("p", { class: "fatal", role: "alert" }, message));
    }
    await refresh();
    document.documentElement.dataset.ready = hash;
  }

  views.show("workload");
  // The core is there when the first key is pressed.
  addEventListener("focusin", () => void cores.for("").catch(() => undefined), { once: true });
  addEventListener("hashchange", () => void follow());
  foot(document.querySelector("#foot")!, loaded);
  await follow();
}

/** Says a text to screen readers, when it has not changed for a moment. */
function announcer(): (text: string) => void {
  const live = document.querySelector("#live")!;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (live.textContent !== text) live.textContent = text;
    }, 500);
  };
}
