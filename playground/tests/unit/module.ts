/** The modules that the page runs, for tests. */
import { readFileSync } from "node:fs";
import { parseJson } from "../../src/input/yaml.ts";
import { Policy } from "../../src/policy/policy.ts";
import { Core, type Source } from "../../src/rehearsal/core.ts";
import { requestOf, type State } from "../../src/state.ts";
import type { Reviews } from "../../src/answers.ts";

const compiled = (path: string) => new WebAssembly.Module(readFileSync(new URL(`../../${path}`, import.meta.url)));

export const MODULE = compiled("../policy.wasm");

export const POLICY = new Policy(MODULE);

export const SMALL_CORE = new Core(compiled("core.wasm"), POLICY, parseJson);

/** The one with CEL. */
export const CORE = new Core(compiled("core-cel.wasm"), POLICY, parseJson);

export function review(state: State, core = CORE): Reviews {
  return core.review(requestOf(state), state.access);
}

export function source(file: string, bytes: string | Uint8Array): Source {
  const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  return { file, size: all.length, read: (offset, length) => all.slice(offset, offset + length) };
}
