/** The command: in the place of kwctl, and to compare reports with. */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));

export const MODULE = path("policy.wasm");

function command(): string {
  const found = process.env.COMMAND ?? path("target/debug/kubectl-runtime_class");
  if (!existsSync(found)) throw new Error(`${found} not found: run \`make test-playground\`, which builds it`);
  return found;
}

/** What a host answers to a request. */
export interface Response {
  uid: string;
  allowed: boolean;
  patch?: string;
  status?: { message?: string; code?: number };
  auditAnnotations: Record<string, string> | null;
  warnings: string[] | null;
}

/** Runs a script of the page in a folder, its `kwctl` being the command. */
export async function runScript(script: string, folder: string): Promise<Response> {
  const kwctl = join(folder, "kwctl");
  writeFileSync(kwctl, `#!/bin/sh\n[ "$1" = run ] || exit 9\nshift 2\nexec '${command()}' run '${MODULE}' "$@"\n`);
  chmodSync(kwctl, 0o755);
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  const { stdout } = await run("sh", ["-euc", script], { cwd: folder, env });
  return JSON.parse(stdout);
}

/** Runs the command. */
export async function runCommand(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await run(command(), args, { maxBuffer: 1 << 28 })) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}
