/** The policy: the module, and its two questions. */
import { call, GuestError, type HostCall, type HostAnswer } from "./wapc.ts";
import { capabilities, type Access, type Exchange, type RuntimeClass } from "./capabilities.ts";

/** What the API server is told, in the terms of an AdmissionResponse. */
export interface Answer {
  allowed: boolean;
  message?: string;
  code?: number;
  warnings: string[];
  auditAnnotations: Record<string, string>;
  /** The object as the policy leaves it, in JSON; only if the policy mutates it. */
  mutatedObject?: unknown;
  /** The calls of the host that led to it. */
  exchanges: Exchange[];
}

/** The answer of a policy, as its module writes it. */
interface ValidationResponse {
  accepted: boolean;
  message?: string | null;
  code?: number | null;
  mutated_object?: unknown;
  audit_annotations?: Record<string, string> | null;
  warnings?: string[] | null;
}

export interface Cluster {
  access: Access;
  classes: readonly RuntimeClass[];
}

export type ParseJson = (text: string) => unknown;

export class Policy {
  readonly #module: WebAssembly.Module;
  readonly #parse: ParseJson;

  /** @param parse reads JSON; one that keeps every digit, if a mutated object is to keep them */
  constructor(module: WebAssembly.Module, parse: ParseJson = JSON.parse) {
    this.#module = module;
    this.#parse = parse;
  }

  /** What is wrong with these settings, in JSON, if anything is. */
  settingsError(settings: string): string | undefined {
    const answer = JSON.parse(call(this.#module, "validate_settings", settings, noHost));
    return answer.valid ? undefined : (answer.message ?? "the settings are not valid");
  }

  /** Evaluates an AdmissionRequest under settings, both in JSON. */
  evaluate(request: string, settings: string, cluster: Cluster): Answer {
    const exchanges: Exchange[] = [];
    const host = capabilities(cluster.access, cluster.classes, exchanges);
    try {
      const response = call(this.#module, "validate", `{"request":${request},"settings":${settings}}`, host);
      return { ...read(this.#parse(response) as ValidationResponse), exchanges };
    } catch (error) {
      return { ...internalError(error), exchanges };
    }
  }
}

function noHost(call: HostCall): HostAnswer {
  return { error: `unknown host capability ${call.binding}/${call.namespace}/${call.operation}` };
}

function read(response: ValidationResponse): Omit<Answer, "exchanges"> {
  const { accepted, message, code, mutated_object, audit_annotations, warnings } = response;
  return {
    allowed: accepted,
    ...(message == null ? {} : { message }),
    ...(code == null ? {} : { code: Number(code) }),
    warnings: warnings ?? [],
    auditAnnotations: audit_annotations ?? {},
    ...(mutated_object == null ? {} : { mutatedObject: mutated_object }),
  };
}

/** What policy-server makes of a policy that fails. */
function internalError(error: unknown): Omit<Answer, "exchanges"> {
  const what = error instanceof GuestError ? `Guest call failure: ${error.message}` : String(error);
  return { allowed: false, code: 500, message: `internal server error: ${what}`, warnings: [], auditAnnotations: {} };
}
