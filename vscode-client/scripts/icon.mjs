// Draws media/icon.png from media/icon.svg, with the browser that the end-to-end tests use.

import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const media = new URL("../media/", import.meta.url).pathname;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 256, height: 256 } });
await page.setContent(`<body style="margin:0">${readFileSync(`${media}icon.svg`, "utf8")}</body>`);
await page.screenshot({ path: `${media}icon.png`, omitBackground: true });
await browser.close();
