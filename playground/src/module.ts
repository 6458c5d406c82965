/** The module of the policy: its bytes, its version and its digest. */
import moduleUrl from "../../policy.wasm?url";

declare const __POLICY_VERSION__: string;

/** The version of the policy that the page was built with. */
export const VERSION = __POLICY_VERSION__;

export interface Loaded {
  module: WebAssembly.Module;
  bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256, in hexadecimal. */
  digest: string;
}

export async function load(): Promise<Loaded> {
  const bytes = embedded("module") ?? (await fetched());
  const [module, digest] = await Promise.all([WebAssembly.compile(bytes), crypto.subtle.digest("SHA-256", bytes)]);
  return { module, bytes, digest: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("") };
}

/** What the page carries itself, if it is the one that has everything inside. */
export function embedded(id: string): Uint8Array<ArrayBuffer> | undefined {
  const base64 = document.querySelector(`script#embedded-${id}`)?.textContent;
  return base64 ? Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)) : undefined;
}

async function fetched(): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(moduleUrl);
  if (!response.ok) throw new Error(`the policy's module can't be loaded: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
