/** The core of the rehearsal, a guest that asks the page for its input and for the policy's answers. */
import type { KnownPolicies, Place, Rehearsal, ReviewRequest, Reviews } from "../answers.ts";
import type { Access, Exchange, RuntimeClass } from "../policy/capabilities.ts";
import type { Policy } from "../policy/policy.ts";
import { GuestError, instantiate, type Guest } from "../wapc/host.ts";

/** A file that the core reads in parts, more than once. */
export interface Source {
  file: string;
  size: number;
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NOTHING = new Uint8Array();

export class Core {
  readonly #policy: Policy;
  readonly #fresh: () => Guest;
  #guest: Guest;
  readonly #parse: (text: string) => unknown;
  #sources: readonly Source[] = [];
  #progress: (bytes: number) => void = () => {};
  /** None: the policy may not read them. */
  #classes: readonly RuntimeClass[] | null = null;
  #access: Access = "granted";
  /** The exchanges of each question to the policy, if they are wanted. */
  #exchanges: Exchange[][] | undefined;

  /** @param parse reads JSON; one that keeps every digit, if objects are to keep them */
  constructor(module: WebAssembly.Module, policy: Policy, parse: (text: string) => unknown = JSON.parse) {
    this.#policy = policy;
    this.#parse = parse;
    this.#fresh = () => instantiate(module, (operation, payload) => this.#answer(operation, payload));
    this.#guest = this.#fresh();
  }

  /** The policies of a text, or settings alone. */
  policies(text: string): KnownPolicies {
    return this.#call("policies", text) as KnownPolicies;
  }

  /** What comes of single objects. */
  review(request: ReviewRequest, access: Access): Reviews {
    this.#access = access;
    const exchanges: Exchange[][] = (this.#exchanges = []);
    const reviews = this.#call("review", request) as Reviews;
    const questions = reviews.reviews.flatMap(({ own, pods }) => [own, ...pods]).flatMap((reviewed) => reviewed.questions);
    questions.forEach((question, at) => (question.exchanges = exchanges[at] ?? []));
    return reviews;
  }

  /** What comes of all objects of sources. `runtimeClasses`: sources with the classes of the cluster. */
  rehearse(policies: string, sources: readonly Source[], progress: (share: number) => void, runtimeClasses: readonly Source[] = []): Rehearsal {
    this.#exchanges = undefined;
    this.#access = "granted";
    this.#sources = [...sources, ...runtimeClasses];
    const total = sources.reduce((sum, { size }) => sum + 2 * size, 0);
    let read = 0;
    this.#progress = (bytes) => progress((read += bytes) / total);
    const files = (all: readonly Source[]) => all.map(({ file }) => file);
    return this.#call("rehearse", { policies, sources: files(sources), runtimeClasses: files(runtimeClasses), namespace: "default" }) as Rehearsal;
  }

  /** The object at a place of the report, reviewed; in JSON. */
  change(place: Place): string {
    this.#progress = () => {};
    return this.#ask("change", place);
  }

  /** The native policies that do what the policies of a text do, in YAML. Only the large core has them. */
  native(policies: string, cluster: string): string {
    return this.#ask("native", { policies, cluster });
  }

  #call(operation: string, payload: unknown): unknown {
    return this.#parse(this.#ask(operation, payload));
  }

  #ask(operation: string, payload: unknown): string {
    try {
      return decoder.decode(this.#guest(operation, encoder.encode(JSON.stringify(payload))));
    } catch (error) {
      // An instance that trapped is not to be used again.
      if (!(error instanceof GuestError)) this.#guest = this.#fresh();
      throw error;
    }
  }

  #answer(operation: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
    const json = () => JSON.parse(decoder.decode(payload));
    switch (operation) {
      case "policy/validate": {
        const log: Exchange[] = [];
        this.#exchanges?.push(log);
        return this.#policy.validate(payload, this.#classes ? this.#access : "not-granted", this.#classes ?? [], log);
      }
      case "policy/classes":
        this.#classes = json();
        return NOTHING;
      case "input/read": {
        const { source, offset, length } = json();
        const bytes = this.#sources[source]!.read(offset, length);
        this.#progress(bytes.length);
        return bytes;
      }
      default:
        throw new Error(`unknown call of the host: ${operation}`);
    }
  }
}
