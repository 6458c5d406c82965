/** The page's answer is the command's: for each example, and for each recorded request. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { applyPatch, type Operation } from "rfc6902";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { EXAMPLES } from "../../src/examples.ts";
import { fragmentOf } from "../../src/share.ts";
import { REQUESTS } from "../requests.ts";
import { MODULE, runCommand, runScript, type Response } from "./command.ts";
import { cards, temporaryFolder, useOnePage, type Card } from "./page.ts";

const at = useOnePage();
const folder = temporaryFolder();

/** What a card and an answer of the command both say. */
interface Said {
  outcome: string;
  message: string | null;
  code: number | null;
  warnings: string[];
  annotations: unknown;
  object: unknown;
}

function patched(request: string, patch: Operation[]): unknown {
  const { object } = JSON.parse(request);
  const failed = applyPatch(object, patch).filter((error) => error !== null);
  return failed.length === 0 ? object : failed;
}

function saidByPage(card: Card, request: string): Said {
  const { message, code, warnings, audit, patch } = card;
  const outcome = card.outcome === "error" ? "rejected" : card.outcome;
  return { outcome, message, code, warnings, annotations: audit ? parse(audit) : null, object: patched(request, JSON.parse(patch ?? "[]")) };
}

function saidByCommand({ allowed, status, warnings, auditAnnotations, patch }: Response, request: string): Said {
  const operations = patch === undefined ? [] : JSON.parse(Buffer.from(patch, "base64").toString());
  return {
    outcome: !allowed ? "rejected" : patch === undefined ? "accepted" : "mutated",
    message: status?.message ?? null,
    code: status?.code ?? null,
    warnings: warnings ?? [],
    annotations: auditAnnotations,
    object: patched(request, operations),
  };
}

/** Asks the command the question of each verdict. */
async function compare(address: string): Promise<void> {
  const shown = await cards(await at(address));
  expect(shown.length).toBeGreaterThan(0);
  for (const card of shown.filter(({ outcome }) => outcome !== "notAsked" && outcome !== "refused")) {
    const own = folder();
    const response = await runScript(card.kwctl!, own);
    const request = readFileSync(join(own, "request.json"), "utf8");
    expect(saidByPage(card, request)).toEqual(saidByCommand(response, request));
  }
}

describe("the command answers as the page does", () => {
  test.each(EXAMPLES.filter(({ id }) => id !== "invalid-settings"))("to the example $id", async ({ id }) => {
    await compare(`#example=${id}`);
  });

  test.each(REQUESTS)("to $name", async ({ state }) => {
    await compare(await fragmentOf(state));
  });

  test("to settings that are not valid", async () => {
    const { id, state } = EXAMPLES.find((example) => example.id === "invalid-settings")!;
    const page = await at(`#example=${id}`);
    const shown = await page.locator(".card .sentence").innerText();
    const request = new URL("../../../test_data/requests/pod-create-default.json", import.meta.url).pathname;
    const { code, stderr } = await runCommand("run", MODULE, "-r", request, "--settings-json", JSON.stringify(parse(state.settings)));
    expect([code, stderr]).toEqual([1, `Error: Provided settings are not valid: ${shown}\n`]);
  });
});
