/** What the page loads: the policy, the core of the rehearsal, and the worker that rehearses. */
import coreUrl from "../core.wasm?url";
import coreWithCelUrl from "../core-cel.wasm?url";
import policyUrl from "../../policy.wasm?url";
import workerUrl from "./rehearsal/worker.ts?worker&url";
import { parseJson } from "./input/yaml.ts";
import { Core } from "./rehearsal/core.ts";
import { Policy } from "./policy/policy.ts";
import type { KnownPolicy } from "./answers.ts";

declare const __POLICY_VERSION__: string;

/** The version of the policy that the page was built with. */
export const VERSION = __POLICY_VERSION__;

/** Whether the page has everything inside. */
export const IS_ONE_FILE = document.querySelector("script#embedded-policy") !== null;

export interface Loaded {
  policy: Policy;
  module: WebAssembly.Module;
  /** The number of its bytes. */
  size: number;
  /** SHA-256, in hexadecimal. */
  digest: string;
}

export async function load(): Promise<Loaded> {
  const bytes = await bytesOf("policy", policyUrl);
  const [module, digest] = await Promise.all([WebAssembly.compile(bytes), crypto.subtle.digest("SHA-256", bytes)]);
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { policy: new Policy(module), module, size: bytes.length, digest: hex };
}

/** A core that can ask certain policies. */
export interface CoreOf {
  core: Core;
  module: WebAssembly.Module;
  policies: KnownPolicy[];
}

/** The cores, each loaded when it is needed: only the large one evaluates CEL. */
export class Cores {
  readonly #policy: Policy;
  readonly #loaded = new Map<string, Promise<Omit<CoreOf, "policies">>>();

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  /**
   * The core for the policies of a text.
   *
   * @throws Error the text can't be read
   */
  async for(text: string): Promise<CoreOf> {
    const small = await this.#load(coreUrl);
    const { policies, needsCel } = small.core.policies(text);
    const loaded = needsCel ? await this.#load(coreWithCelUrl) : small;
    return { ...loaded, policies };
  }

  /** The core that can do everything. */
  async large(): Promise<Core> {
    return (await this.#load(coreWithCelUrl)).core;
  }

  #load(url: string): Promise<Omit<CoreOf, "policies">> {
    const loading = this.#loaded.get(url) ?? this.#compile(url);
    this.#loaded.set(url, loading);
    return loading;
  }

  async #compile(url: string): Promise<Omit<CoreOf, "policies">> {
    const module = await WebAssembly.compile(await bytesOf("core", url));
    return { module, core: new Core(module, this.#policy, parseJson) };
  }
}

/** What the page carries itself, if it is the one that has everything inside. */
export async function embedded(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const base64 = document.querySelector(`script#embedded-${id}`)?.textContent;
  if (!base64) return undefined;
  const zipped = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export async function newWorker(): Promise<Worker> {
  const own = await embedded("worker");
  if (!own) return new Worker(new URL(workerUrl, import.meta.url));
  const url = URL.createObjectURL(new Blob([own], { type: "text/javascript" }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return worker;
}

async function bytesOf(id: string, url: string): Promise<Uint8Array<ArrayBuffer>> {
  return (await embedded(id)) ?? (await fetched(url));
}

async function fetched(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`a module can't be loaded: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
