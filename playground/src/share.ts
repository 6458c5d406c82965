/**
 * Links that carry the whole state in the fragment, which no browser sends to a server.
 *
 * `#v1=…` is the state in JSON, without its defaults, deflated, in base64url. Links of an older version still open:
 * a new version adds a reader, and keeps this one.
 */
import { OPERATIONS } from "./answers.ts";
import { ACCESSES } from "./policy/capabilities.ts";
import { DEFAULTS, type State } from "./state.ts";

const V1 = "v1=";

/** The fragment of a link to a state. */
export async function fragmentOf(state: State): Promise<string> {
  const typed = Object.entries(state).filter(([key, value]) => value !== DEFAULTS[key as keyof State]);
  const bytes = new TextEncoder().encode(JSON.stringify(Object.fromEntries(typed)));
  return `#${V1}${toBase64Url(await through(bytes, new CompressionStream("deflate-raw")))}`;
}

/**
 * The state of a fragment; none if it has none.
 *
 * @throws Error it is damaged, or of a later version
 */
export async function stateOf(fragment: string): Promise<State | undefined> {
  const text = fragment.replace(/^#/, "");
  if (/^v\d+=/.test(text) && !text.startsWith(V1)) throw new Error("this link was made by a later version of this page");
  if (!text.startsWith(V1)) return undefined;
  try {
    const bytes = await through(fromBase64Url(text.slice(V1.length)), new DecompressionStream("deflate-raw"));
    return checked(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    throw new Error("this link is incomplete or damaged");
  }
}

/** The state, and nothing but it: a link is input like any other. */
function checked(value: Record<string, unknown>): State {
  const texts = Object.keys(DEFAULTS).flatMap((key) => (typeof value[key] === "string" ? [[key, value[key]]] : []));
  const state: State = { ...DEFAULTS, ...Object.fromEntries(texts) };
  return {
    ...state,
    access: ACCESSES.includes(state.access) ? state.access : DEFAULTS.access,
    operation: OPERATIONS.includes(state.operation) ? state.operation : DEFAULTS.operation,
  };
}

async function through(bytes: Uint8Array<ArrayBuffer>, stream: GenericTransformStream): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

function toBase64Url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
