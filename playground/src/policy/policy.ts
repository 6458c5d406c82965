/** The policy: the module, and its two questions. Each is asked of a fresh instance, as policy-server does. */
import { capability, type Access, type Exchange, type RuntimeClass } from "./capabilities.ts";
import { GuestError, instantiate } from "../wapc/host.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Policy {
  readonly #module: WebAssembly.Module;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** What is wrong with these settings, in JSON, if anything is. */
  settingsError(settings: string): string | undefined {
    const guest = instantiate(this.#module, (operation) => {
      throw new Error(`unknown host capability kubewarden/${operation}`);
    });
    const answer = JSON.parse(decoder.decode(guest("validate_settings", encoder.encode(settings))));
    return answer.valid ? undefined : (answer.message ?? "the settings are not valid");
  }

  /**
   * The answer to the payload of `validate`. Each call of the host is added to `log`.
   *
   * @throws Error what policy-server says of a policy that fails
   */
  validate(payload: Uint8Array, access: Access, classes: readonly RuntimeClass[], log: Exchange[]): Uint8Array<ArrayBuffer> {
    const guest = instantiate(this.#module, (operation, call) => {
      const answer = capability(operation, decoder.decode(call), access, classes, log);
      if ("error" in answer) throw new Error(answer.error);
      return encoder.encode(answer.payload);
    });
    try {
      return guest("validate", payload);
    } catch (error) {
      throw error instanceof GuestError ? new Error(`Guest call failure: ${error.message}`) : error;
    }
  }
}
