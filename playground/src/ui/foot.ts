/** What the page runs: the module's version and digest, and the page in one file. */
import { IS_ONE_FILE, VERSION, type Loaded } from "../module.ts";
import { el, fill } from "./el.ts";

const REPOSITORY = "https://github.com/kubewarden/pod-runtime-class-policy";

export function foot(element: HTMLElement, { size, digest }: Loaded): void {
  const bytes = `${size.toLocaleString("en")} bytes`;
  fill(
    element,
    el("p", {}, `pod-runtime-class-policy ${VERSION}, ${bytes}, `, el("span", { class: "digest" }, "sha256:", el("code", { id: "digest" }, digest))),
    el(
      "p",
      {},
      !IS_ONE_FILE && el("a", { href: "./playground.html", download: `pod-runtime-class-policy-${VERSION}.html` }, "Download this page as one file"),
      el("a", { href: REPOSITORY }, "Source"),
      el("a", { href: `${REPOSITORY}#readme` }, "Documentation"),
      el("a", { href: `${REPOSITORY}/blob/main/settings.schema.json` }, "JSON Schema of the settings"),
    ),
  );
}
