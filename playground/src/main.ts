/** The page: loads the policy, and puts the views in their place. */
import { parseJson } from "./input/yaml.ts";
import { load } from "./module.ts";
import { Policy } from "./policy/policy.ts";
import { page } from "./ui/page.ts";
import { themeButton } from "./ui/theme.ts";
import { el } from "./ui/el.ts";

themeButton(document.querySelector<HTMLButtonElement>("#theme")!);

try {
  const loaded = await load();
  await page(loaded, new Policy(loaded.module, parseJson));
} catch (error) {
  document.querySelector("#main")!.append(el("p", { class: "fatal", role: "alert" }, `The policy can't be loaded: ${String(error)}`));
}
