/** Writes the built page a second time, as one HTML file with everything inside. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

export function oneFile(): Plugin {
  let folder = "";
  return {
    name: "one-file",
    apply: "build",
    configResolved: (config) => void (folder = join(config.root, config.build.outDir)),
    closeBundle: () => writeFileSync(join(folder, "playground.html"), whole(folder)),
  };
}

function whole(folder: string): string {
  const assets = join(folder, "assets");
  const asset = (pattern: RegExp) => {
    const names = readdirSync(assets).filter((name) => pattern.test(name));
    if (names.length !== 1) throw new Error(`expected one asset ${pattern}, got ${names.join(", ")}`);
    return readFileSync(join(assets, names[0]!));
  };
  const script = inHtml(asset(/^index-.*\.js$/).toString());
  const style = asset(/\.css$/).toString();
  const hash = createHash("sha256").update(script).digest("base64");

  return readFileSync(join(folder, "index.html"), "utf8")
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style nonce="codemirror">${style}</style>`)
    .replace(/<script type="module"[^>]*><\/script>/, "")
    .replace("script-src 'self' 'wasm-unsafe-eval'", `script-src 'sha256-${hash}' 'wasm-unsafe-eval'`)
    .replace("worker-src 'self'", "worker-src blob:")
    .replace("style-src 'self' ", "style-src ")
    .replace("connect-src 'self'", "connect-src 'none'")
    .replace("</body>", () => {
      // The core that can do everything, in the place of the small one as well.
      const parts = [embed("policy", asset(/^policy-.*\.wasm$/)), embed("core", asset(/^core-cel-.*\.wasm$/)), embed("worker", asset(/^worker-.*\.js$/))];
      return `${parts.join("\n")}\n<script type="module">${script}</script>\n</body>`;
    });
}

/** A script as an HTML parser leaves it: it would end it early, and replace some characters. */
function inHtml(script: string): string {
  return script.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--").replaceAll("\0", "\\x00").replaceAll("\r", "\\r");
}

/** Data, which no browser runs. */
function embed(id: string, bytes: Buffer): string {
  return `<script type="text/plain" id="embedded-${id}">${gzipSync(bytes, { level: 9 }).toString("base64")}</script>`;
}
