/** The picture of the page in the README. `npm run picture` takes it anew. */
import { mkdirSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { usePages } from "./page.ts";

const open = usePages();

const PICTURE = process.env.PICTURE ?? "screenshots/readme.png";

test("the picture of the README shows a verdict, and is small", async () => {
  mkdirSync("screenshots", { recursive: true });
  const page = await open("#example=handler", { width: 1280, height: 920 });
  await page.screenshot({ path: PICTURE });
  expect(await page.locator(".card .word").isVisible()).toBe(true);
  expect(statSync(PICTURE).size).toBeLessThan(300_000);
});
