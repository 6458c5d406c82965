/** The policies that were typed, checked by the core and by the policy's module. */
import type { KnownPolicy } from "../answers.ts";
import { settingsProblem, typedSettings, unreadableProblem } from "../input/settings.ts";
import { writeJson, type Problem } from "../input/yaml.ts";
import type { CoreOf, Cores } from "../module.ts";
import type { Policy } from "../policy/policy.ts";

/** What is wrong with the policies. */
export interface PolicyProblem {
  title: string;
  message: string;
  at: Problem;
}

/** Policies that were checked, and the core that asks them; none if it can't be loaded. */
export interface Checked extends Partial<CoreOf> {
  /** Those that can be read. */
  policies: KnownPolicy[];
  problem?: PolicyProblem;
}

export async function check(text: string, cores: Cores, policy: Policy): Promise<Checked> {
  let checked: CoreOf;
  try {
    checked = await cores.for(text);
  } catch (error) {
    const at = unreadableProblem(text, (error as Error).message);
    const problem = { title: "The settings can't be read", message: at.message, at };
    return { ...(await cores.for("").catch(() => undefined)), policies: [], problem };
  }
  for (const { name, settings } of checked.policies) {
    const message = policy.settingsError(writeJson(settings));
    if (message === undefined) continue;
    const title = `The policy ${checked.policies.length > 1 ? `${name} ` : ""}does not load with these settings`;
    return { ...checked, problem: { title, message, at: settingsProblem(typedSettings(text, name), settings, message) } };
  }
  return checked;
}

/** The settings that the form shows: those of the first policy of the text. */
export function settingsOfForm(text: string, policies: readonly KnownPolicy[]): unknown {
  const { name } = typedSettings(text);
  return (policies.find((each) => each.name === name) ?? policies[0])?.settings;
}
