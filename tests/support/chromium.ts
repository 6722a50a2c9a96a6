/**
 * Chromium without a window, and a server for its pages; tests that need it are skipped, visibly, where there is none.
 *
 * @module
 */
import type { Browser, Page } from "playwright-core";
import { bundle as bundleAll } from "../../tools/pages.ts";

export { ISOLATION, type PageServer, servePages } from "../../tools/pages.ts";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of Chromium; undefined where there is none. */
export const chromiumPath: string | undefined = PATHS.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** With WebGPU by SwiftShader, which computes on the CPU. */
const ARGUMENTS = ["--headless=new", "--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** Starts Chromium. */
export async function startChromium(): Promise<Browser> {
  const { chromium } = await import("playwright-core");
  return await chromium.launch({ executablePath: chromiumPath!, headless: false, args: ARGUMENTS });
}

/** Opens a page; what goes wrong in it is told. */
export async function openPage(browser: Browser, url: string, problems: string[]): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(url);
  return page;
}

/** Bundles modules for browsers into a folder; gives the folder. */
export function bundle(...entries: string[]): Promise<string> {
  return bundleAll(entries);
}
