/** The page in one file, opened from disk. */
import { pathToFileURL } from "node:url";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dump } from "../dump.ts";
import { cards, temporaryFolder, type, usePages } from "./page.ts";

const open = usePages();
const folder = temporaryFolder();

/** A copy of the file, away from all others. */
function downloaded(): string {
  const copy = join(folder(), "page.html");
  copyFileSync("dist/playground.html", copy);
  return copy;
}

test("it names no other file", () => {
  const html = readFileSync(downloaded(), "utf8");
  const markup = html.replace(/<(script|style)\b[^>]*>[^]*?<\/\1>/g, "");
  expect([...markup.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, url]) => url).filter((url) => !/^(?:#|data:|https:\/\/github\.com\/)/.test(url!))).toEqual([]);
  expect(html.length).toBeLessThan(3_000_000);
});

test("it decides, and opens links", async () => {
  const page = await open(`${pathToFileURL(downloaded())}#example=handler`);
  expect((await cards(page)).map(({ outcome }) => outcome)).toEqual(["mutated"]);
  await type(page, "Settings", "reservedRuntimes: [runc]\n");
  expect((await cards(page)).map(({ outcome }) => outcome)).toEqual(["rejected"]);
  expect(await page.locator("#digest").innerText()).toMatch(/^[0-9a-f]{64}$/);
});

test("it has the core that evaluates match conditions", async () => {
  const page = await open(`${pathToFileURL(downloaded())}#example=windows`);
  expect((await cards(page)).map(({ outcome }) => outcome)).toEqual(["notAsked"]);
});

test("it rehearses a cluster", async () => {
  const page = await open(`${pathToFileURL(downloaded())}#cluster`);
  const file = join(folder(), "cluster.json");
  writeFileSync(file, JSON.stringify(dump(40)));
  await type(page, "Settings", "allowedRuntimes: [kata]\n");
  await page.setInputFiles("input[type=file]", file);
  await page.locator(".figures").waitFor();
  expect(await page.locator(".figures").innerText()).toContain("Rejected");
});
