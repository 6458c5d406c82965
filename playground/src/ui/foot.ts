/** What the page runs: the module's version and digest, and the page in one file. */
import { embedded, VERSION, type Loaded } from "../module.ts";
import { el, fill } from "./el.ts";

const REPOSITORY = "https://github.com/kubewarden/pod-runtime-class-policy";

export function foot(element: HTMLElement, { bytes, digest }: Loaded): void {
  const size = `${bytes.length.toLocaleString("en")} bytes`;
  const isWhole = embedded("module") !== undefined;
  fill(
    element,
    el("p", {}, `pod-runtime-class-policy ${VERSION}, ${size}, `, el("span", { class: "digest" }, "sha256:", el("code", { id: "digest" }, digest))),
    el(
      "p",
      {},
      !isWhole && el("a", { href: "./playground.html", download: `pod-runtime-class-policy-${VERSION}.html` }, "Download this page as one file"),
      el("a", { href: REPOSITORY }, "Source"),
      el("a", { href: `${REPOSITORY}#readme` }, "Documentation"),
      el("a", { href: `${REPOSITORY}/blob/main/settings.schema.json` }, "JSON Schema of the settings"),
    ),
  );
}
