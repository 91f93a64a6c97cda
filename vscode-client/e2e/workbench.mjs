// The workbench as a person uses it: what is clicked, typed and seen, for the played sessions.

import { mkdirSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

const LOCAL_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  LOCAL_ONLY,
];

export class Workbench {
  static async open({ address, place, shots, browserPath }) {
    mkdirSync(shots, { recursive: true });
    const browser = await chromium.launch({ executablePath: browserPath, args: FLAGS });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(40_000);
    const workbench = new Workbench(browser, page, shots);
    await workbench.visit(`${address}/?${new URLSearchParams(place)}`);
    return workbench;
  }

  constructor(browser, page, shots) {
    this.browser = browser;
    this.page = page;
    this.shots = shots;
  }

  async visit(url) {
    await this.page.goto(url, { waitUntil: "domcontentloaded" });
    await this.page.locator(".explorer-folders-view .monaco-list-row").first().waitFor();
  }

  async reload() {
    await this.visit(this.page.url());
  }

  close() {
    return this.browser.close();
  }

  async shot(name) {
    await this.page.screenshot({ path: path.join(this.shots, `${name}.png`) });
  }

  /** Opens a file from the explorer; returns the moment of the click, in milliseconds. */
  async openFile(name) {
    const row = this.page.locator(".explorer-folders-view .monaco-list-row", { hasText: name });
    await row.waitFor();
    const clicked = Date.now();
    await row.dblclick();
    await this.page.locator(".tab.active", { hasText: name }).waitFor();
    return clicked;
  }

  /** Opens a file by its name, in whichever folder it is. */
  async quickOpen(name) {
    await this.page.keyboard.press("Control+P");
    await this.page.locator(".quick-input-box input").fill(name);
    await this.page.locator(".quick-input-list .monaco-list-row.focused", { hasText: name }).waitFor();
    await this.page.keyboard.press("Enter");
    await this.page.locator(".tab.active", { hasText: name }).waitFor();
  }

  /** What “Show Status” says; a picture of it where it is given a name. */
  async status(shot) {
    await this.command("nnreuse: Show Status");
    const dialog = this.page.locator(".monaco-dialog-box");
    await dialog.waitFor();
    if (shot) {
      await this.shot(shot);
    }
    const text = await dialog.innerText();
    await this.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    return text;
  }

  /** Starts the editor anew with no file open, as often as it takes until it remembers that it was left so. */
  async startWithoutEditors() {
    const tabs = this.page.locator(".tabs-container .tab");
    for (let tries = 0; tries < 5; tries++) {
      await this.command("View: Close All Editors");
      await tabs.first().waitFor({ state: "detached" });
      await this.page.waitForTimeout(1500 * (tries + 1));
      await this.reload();
      await this.page.waitForTimeout(4000); // the editor's own start is not ours to measure
      if ((await tabs.count()) === 0) {
        return;
      }
    }
  }

  async command(title) {
    await this.page.keyboard.press("F1");
    await this.page.locator(".quick-input-box input").fill(`>${title}`);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().waitFor();
    await this.page.keyboard.press("Enter");
  }

  squiggles() {
    return this.page.locator(".squiggly-error, .squiggly-warning, .squiggly-info");
  }

  async waitForSquiggles(count) {
    const drawn = (wanted) =>
      document.querySelectorAll(".squiggly-error, .squiggly-warning, .squiggly-info").length === wanted;
    await this.page.waitForFunction(drawn, count, { polling: "raf" });
  }

  /** Milliseconds from a key to the moment when so many squiggles are drawn, measured inside the page. */
  async timeToSquiggles(key, count) {
    await this.page.evaluate((wanted) => {
      globalThis.drawn = new Promise((resolve) => {
        addEventListener(
          "keydown",
          () => {
            const pressed = performance.now();
            const look = () => {
              const found = document.querySelectorAll(".squiggly-error, .squiggly-warning, .squiggly-info").length;
              found === wanted ? resolve(performance.now() - pressed) : requestAnimationFrame(look);
            };
            look();
          },
          { once: true, capture: true },
        );
      });
    }, count);
    await this.page.keyboard.press(key);
    return this.page.evaluate(() => globalThis.drawn);
  }

  /** Puts the cursor at a place of the text, both counted from one. */
  async goTo(line, column) {
    await this.page.keyboard.press("Control+G");
    await this.page.locator(".quick-input-box input").fill(`:${line}:${column}`);
    await this.page.keyboard.press("Enter");
    await this.page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  }

  /** The text of the hover over a squiggle. */
  async hover(index = 0) {
    const box = await this.squiggles().nth(index).boundingBox();
    await this.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 5 });
    const hover = this.page.locator(".monaco-hover:not(.hidden) .hover-contents").first();
    await hover.waitFor();
    await this.page.waitForTimeout(500); // the hover grows as each provider answers
    return this.page.locator(".monaco-hover:not(.hidden)").first().innerText();
  }

  async moveAway() {
    await this.page.mouse.move(640, 12, { steps: 5 });
    await this.page.keyboard.press("Escape");
    await this.page.locator(".monaco-hover:not(.hidden)").first().waitFor({ state: "hidden" });
  }

  /** The titles of the quick fixes at the cursor, in their order; the menu stays open. */
  async quickFixes() {
    const rows = this.page.locator(".action-widget .monaco-list-row.action");
    let titles = [];
    for (let tries = 0; titles.length === 0 && tries < 5; tries++) {
      await this.page.keyboard.press("Control+.");
      await rows.first().waitFor();
      await this.page.waitForTimeout(500); // the menu takes no choice before, and closes when the editor moves
      titles = await rows.allInnerTexts();
    }
    return titles;
  }

  /** The rows of the Problems panel. */
  async problems() {
    await this.command("Problems: Focus on Problems View");
    const rows = this.page.locator(".markers-panel .monaco-list-row");
    await rows.nth(1).waitFor();
    return rows.allInnerTexts();
  }

  async notification(text) {
    const found = this.page.locator(".notification-list-item", { hasText: text }).first();
    await found.waitFor();
    await this.page.waitForTimeout(1000); // it slides in
    return found;
  }

  /** Waits until the status bar says that the server is in a state: the item's label for screen readers says it. */
  async waitForState(state) {
    await this.page.locator(`.statusbar-item[aria-label*="nnreuse ${state}"]`).waitFor();
  }
}
