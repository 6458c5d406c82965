/** The page: loads the policy, and puts the views in their place. */
import { load } from "./module.ts";
import { page } from "./ui/page.ts";
import { themeButton } from "./ui/theme.ts";
import { el } from "./ui/el.ts";

themeButton(document.querySelector<HTMLButtonElement>("#theme")!);

try {
  await page(await load());
} catch (error) {
  document.querySelector("#main")!.append(el("p", { class: "fatal", role: "alert" }, `The policy can't be loaded: ${String(error)}`));
}
