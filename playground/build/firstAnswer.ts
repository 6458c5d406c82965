/** The answer to the first example, asked when the page is built: a visitor sees it before the core is loaded. */
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { exampleOf, FIRST } from "../src/examples.ts";
import { Policy } from "../src/policy/policy.ts";
import { Core } from "../src/rehearsal/core.ts";
import { requestOf } from "../src/state.ts";

const ID = "virtual:first-answer";

export function firstAnswer(): Plugin {
  let root = "";
  const compiled = (path: string) => new WebAssembly.Module(readFileSync(new URL(path, `file://${root}/`)));
  return {
    name: "first-answer",
    configResolved: (config) => void (root = config.root),
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load(id) {
      if (id !== `\0${ID}`) return undefined;
      const { state } = exampleOf(FIRST)!;
      const core = new Core(compiled("core.wasm"), new Policy(compiled("../policy.wasm")));
      return `export default ${JSON.stringify({ policies: core.policies(state.settings).policies, reviews: core.review(requestOf(state), state.access) })}`;
    },
  };
}
