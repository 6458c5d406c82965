/** The page in a browser. A test fails if anything is logged on it, or asked of another host. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";
import { launch } from "./chromium.ts";

export interface View {
  width?: number;
  height?: number;
  theme?: "light" | "dark";
}

/** Opens the page at an address. */
export type Open = (address?: string, view?: View) => Promise<Page>;

/** Opens a page for a test. */
export function usePages(): Open {
  const { browser, check } = useBrowser();
  const pages: Page[] = [];
  afterEach(async () => void (await Promise.all(pages.splice(0).map((page) => page.context().close()))));
  return async (address = "", view = {}) => {
    const page = await newPage(browser(), view, check);
    pages.push(page);
    await page.goto(/^\w+:/.test(address) ? address : inject("url") + address);
    await page.waitForSelector("html[data-ready]");
    return page;
  };
}

/** Keeps one page for all tests of a file, and follows a link on it. */
export function useOnePage(): (address: string) => Promise<Page> {
  const { browser, check } = useBrowser();
  let page: Page | undefined;
  return async (address) => {
    if (!page) {
      page = await newPage(browser(), {}, check);
      await page.goto(inject("url"));
      await page.waitForSelector("html[data-ready]");
    }
    await follow(page, address);
    return page;
  };
}

/** A browser for the tests of a file; each fails if something is wrong on its pages. */
function useBrowser(): { browser: () => Browser; check: string[] } {
  let browser: Browser;
  const wrong: string[] = [];
  beforeAll(async () => void (browser = await launch()));
  afterAll(async () => browser.close());
  afterEach(() => expect(wrong.splice(0)).toEqual([]));
  return { browser: () => browser, check: wrong };
}

async function newPage(browser: Browser, { width = 1280, height = 900, theme = "light" }: View, wrong: string[]): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const isOwn = (each: string) => each.startsWith(inject("url")) || /^(?:data|blob|file):/.test(each);
  page.on("request", (request) => void (isOwn(request.url()) || wrong.push(`asked for ${request.url()}`)));
  page.on("console", (message) => void wrong.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => void wrong.push(`error: ${error.message}`));
  return page;
}

/** A new folder, removed after the test's file. */
export function temporaryFolder(): () => string {
  const folders: string[] = [];
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "playground-"));
    folders.push(folder);
    return folder;
  };
}

/** Follows a link to another state of the page. */
export async function follow(page: Page, address: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(address)}`);
  await page.waitForSelector(`html[data-ready="${address}"]`);
}

/** Opens all parts that are shut. */
export async function openAll(page: Page): Promise<void> {
  await page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))");
}

/** A verdict, as the page shows it. */
export interface Card {
  outcome: string;
  title: string;
  message: string | null;
  code: number | null;
  warnings: string[];
  /** The parts that are shut at first. */
  audit: string | null;
  patch: string | null;
  kwctl: string | null;
}

export async function cards(page: Page): Promise<Card[]> {
  await page.waitForSelector("body:not([aria-busy=true])");
  const all: Card[] = [];
  for (const element of await page.locator(".cards .card").all()) all.push(await card(element));
  return all;
}

async function card(element: Locator): Promise<Card> {
  const text = async (selector: string) => ((await element.locator(selector).count()) > 0 ? element.locator(selector).innerText() : null);
  const part = async (name: string) => {
    const details = element.locator(`details[data-part=${name}]`);
    if ((await details.count()) === 0) return null;
    if ((await details.getAttribute("open")) === null) await details.locator("summary").click();
    return details.locator("pre").innerText();
  };
  const code = await element.getAttribute("data-code");
  return {
    outcome: (await element.getAttribute("data-outcome")) ?? "undecided",
    title: (await text(".object")) ?? (await element.locator("h3").innerText()),
    message: await text(".kubectl .error strong"),
    code: code === null ? null : Number(code),
    warnings: (await element.locator(".kubectl .warning").allInnerTexts()).map((each) => each.replace(/^Warning: /, "")),
    audit: await part("audit"),
    patch: await part("patch"),
    kwctl: await part("kwctl"),
  };
}

/** Replaces the text of an editor, as a person does. */
export async function type(page: Page, label: string, text: string): Promise<void> {
  await page.getByRole("textbox", { name: label }).click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(text);
}
