/**
 * The [match conditions](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions)
 * of a policy: expressions in CEL that the API server evaluates before it calls a webhook.
 */
import { celEnv, isCelError, parse, plan, type CelInput } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";

export interface Condition {
  name: string;
  expression: string;
}

/** What the conditions say of a request. */
export interface Matched {
  matched: boolean;
  /** One failed, as it does in the API server: the failure policy decides. */
  failed?: string;
  /** Those that can't be evaluated here, and are taken as true. */
  notEvaluated: NotEvaluated[];
}

export interface NotEvaluated {
  name: string;
  why: string;
}

type Bindings = Record<string, CelInput>;

/** Conditions that are ready to be asked; those that can't be are named. */
export class Conditions {
  readonly notEvaluated: NotEvaluated[] = [];
  readonly #programs: { name: string; run: (bindings: Bindings) => unknown }[] = [];

  constructor(conditions: readonly Condition[]) {
    const env = celEnv({ funcs: strings });
    for (const { name, expression } of conditions) {
      try {
        this.#programs.push({ name, run: plan(env, parse(expression)) as (bindings: Bindings) => unknown });
      } catch (error) {
        this.notEvaluated.push({ name, why: firstLine(error) });
      }
    }
  }

  get isEmpty(): boolean {
    return this.#programs.length === 0;
  }

  evaluate(request: object, object: unknown, oldObject: unknown): Matched {
    const bindings = { request: toCel(request), object: toCel(object ?? null), oldObject: toCel(oldObject ?? null) };
    const notEvaluated: NotEvaluated[] = [];
    let failed: string | undefined;
    for (const { name, run } of this.#programs) {
      const value = attempt(run, bindings);
      if (value === false) return { matched: false, notEvaluated: [] };
      if (value === true) continue;
      if (!isCelError(value)) notEvaluated.push({ name, why: "it is not a boolean" });
      else if (isMissingKey(value.message)) failed = `match condition '${name}' fails: ${missingKey(value.message)}`;
      else notEvaluated.push({ name, why: value.message });
    }
    return { matched: true, notEvaluated, ...(failed === undefined ? {} : { failed }) };
  }
}

function attempt(run: (bindings: Bindings) => unknown, bindings: Bindings): unknown {
  try {
    return run(bindings);
  } catch (error) {
    return error;
  }
}

const MISSING = /^(?:field not found|no such key): /;

function isMissingKey(message: string): boolean {
  return MISSING.test(message);
}

function missingKey(message: string): string {
  return message.replace(MISSING, "no such key: ");
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n", 1)[0] ?? "").replace(/^<input>:/, "");
}

/** JSON, as Kubernetes gives it to CEL: a whole number is an `int`. */
function toCel(value: unknown): CelInput {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== "object" || value === null) return value as CelInput;
  return new Map(Object.entries(value).map(([key, member]) => [key, toCel(member)]));
}
