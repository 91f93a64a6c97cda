// A person's session, in a real VS Code with the packaged extension, from the first click to the repaired file.
// The steps follow one another: each starts from what the one before has left on the screen.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { open } from "./stage.mjs";

const model = readFileSync(path.resolve(import.meta.dirname, "../../examples/article/model.py"), "utf8");
const repaired = model
  .replace("self.bn = nn.BatchNorm2d(64)", "self.bn = nn.BatchNorm2d(64)\n        self.bn2 = nn.BatchNorm2d(64)")
  .replace("self.bn(self.conv2(x))", "self.bn2(self.conv2(x))");
// A note that suppresses nothing: deleting it keeps behaviour, so that “fix all” may.
const noted = repaired.replace("self.relu = nn.ReLU()  #", "self.relu = nn.ReLU()  # nnreuse: ignore[shared-prelu] #");
const cell = { cell_type: "code", execution_count: null, metadata: {}, outputs: [], source: model };
const notebook = JSON.stringify({
  cells: [cell],
  metadata: { language_info: { name: "python" } },
  nbformat: 4,
  nbformat_minor: 5,
});
const secondCall = model.split("\n").findIndex((line) => line.includes("self.bn(self.conv2(x))")) + 1;
const behindItsName = model.split("\n")[secondCall - 1].indexOf("self.bn(") + "self.bn".length + 1;

async function waitUntil(holds) {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 100, `never came: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

describe("a person's session", () => {
  let stage;
  let workbench;

  before(async () => {
    stage = await open({ files: { "model.py": model, "noted.py": noted, "train.ipynb": notebook } });
    workbench = stage.workbench;
  });
  after(() => stage?.close());
  afterEach(async function () {
    if (this.currentTest.state === "failed") {
      await workbench.shot(`failed-${this.currentTest.title.replaceAll(/\W+/g, "-")}`);
    }
  });

  const saved = async (name = "model.py") => {
    await workbench.page.keyboard.press("Control+S");
    await workbench.page.locator(".tab.active:not(.dirty)").waitFor();
    return readFileSync(path.join(stage.folder, name), "utf8");
  };

  it("sets the server up by itself when a Python file is opened for the first time", async () => {
    const clicked = await workbench.openFile("model.py");
    await workbench.notification("preparing its server");
    await workbench.shot("first-start");
    await workbench.waitForSquiggles(1);
    console.log(`      first use, click to first squiggle, the server set up on the way: ${Date.now() - clicked} ms`);
    await workbench.waitForState("is running");
  });

  it("draws squiggles soon after a click once that is done", async () => {
    const times = [];
    for (let round = 0; round < 3; round++) {
      await workbench.startWithoutEditors();
      assert.equal(await workbench.squiggles().count(), 0);
      const clicked = await workbench.openFile("model.py");
      await workbench.waitForSquiggles(1);
      times.push(Date.now() - clicked);
    }
    console.log(`      click to first squiggle, the extension and its server not yet started: ${times.join(", ")} ms`);
    await workbench.shot("squiggles");
  });

  it("lists the findings with their related places in Problems", async () => {
    const rows = await workbench.problems();
    await workbench.shot("problems");
    const findings = rows.filter((row) => row.includes("shared-batch-norm"));
    assert.equal(findings.length, 1);
    assert.ok(rows.some((row) => row.includes("call 1 of the same instance")));
    assert.ok(rows.some((row) => row.includes("defined once, here")));
    await workbench.page.keyboard.press("Control+J");
  });

  it("explains on hover whether the module may be reused", async () => {
    const text = await workbench.hover();
    await workbench.shot("hover");
    assert.match(text, /BatchNorm2d/);
    assert.match(text, /May I reuse it\?/);
    await workbench.moveAway();
  });

  it("offers the split first, and the file is then as expected and without squiggles", async () => {
    await workbench.goTo(secondCall, behindItsName);
    const titles = await workbench.quickFixes();
    await workbench.shot("quick-fix");
    assert.match(titles[0], /own|split/i);
    await workbench.page.keyboard.press("Enter");
    await workbench.waitForSquiggles(0);
    await workbench.shot("fixed");
    assert.equal(await saved(), repaired);
  });

  it("brings everything back on undo", async () => {
    await workbench.page.keyboard.press("Control+Z");
    await workbench.waitForSquiggles(1);
    assert.equal(await saved(), model);
  });

  it("follows each keystroke", async () => {
    await workbench.goTo(secondCall, behindItsName);
    const times = [];
    for (let round = 0; round < 10; round++) {
      await workbench.timeToSquiggles("2", 0);
      times.push(await workbench.timeToSquiggles("Backspace", 1));
    }
    const [fastest, slowest] = [Math.min(...times), Math.max(...times)].map(Math.round);
    console.log(`      edit to squiggle: median ${Math.round(median(times))} ms (${fastest} to ${slowest})`);
  });

  it("shows the page of the rule under the cursor", async () => {
    await workbench.goTo(secondCall, behindItsName - 1);
    await workbench.command("nnreuse: Explain Rule");
    await workbench.page.locator(".tab.active", { hasText: "shared-batch-norm" }).waitFor();
    const page = workbench.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
    await page.getByRole("heading", { name: "shared-batch-norm" }).waitFor();
    await workbench.shot("rule");
    await workbench.page.keyboard.press("Control+F4");
  });

  it("follows a changed setting at once", async () => {
    await workbench.openFile("model.py");
    await workbench.waitForSquiggles(1);
    stage.set({ "nnreuse.ignore": ["shared-batch-norm"] });
    await workbench.waitForSquiggles(0);
    stage.set({ "nnreuse.severity": { "shared-batch-norm": "error" } });
    await workbench.page.locator(".squiggly-error").waitFor();
    stage.set({});
    await workbench.page.locator(".squiggly-warning").waitFor();
  });

  it("shows on request a lens over the definition that opens the calls, and their numbers", async () => {
    stage.set({ "nnreuse.codeLens": true, "nnreuse.inlayHints": true });
    const lens = workbench.page.locator(".codelens-decoration a", { hasText: "2 calls · shared running statistics" });
    await lens.waitFor();
    await workbench.page.getByText("#2 of 2").first().waitFor();
    await workbench.shot("lens");
    await lens.click();
    const peek = workbench.page.locator(".peekview-widget");
    await peek.locator(".ref-tree .monaco-list-row .referenceMatch").nth(1).waitFor();
    await workbench.shot("calls");
    assert.equal(await peek.locator(".ref-tree .monaco-list-row .referenceMatch").count(), 2);
    await workbench.page.keyboard.press("Escape");
    stage.set({});
    await lens.waitFor({ state: "detached" });
  });

  it("fixes everything that keeps behaviour in a file, by a command and on saving", async () => {
    await workbench.openFile("noted.py");
    await workbench.waitForSquiggles(1);
    await workbench.command("nnreuse: Fix All in File");
    await workbench.waitForSquiggles(0);
    await workbench.shot("fix-all");
    await workbench.page.keyboard.press("Control+Z");
    await workbench.waitForSquiggles(1);
    stage.set({ "editor.codeActionsOnSave": { "source.fixAll.nnreuse": "explicit" } });
    await workbench.page.waitForTimeout(1000); // until the editor has read them
    await workbench.page.keyboard.press("Control+End");
    await workbench.page.keyboard.press("Enter");
    assert.doesNotMatch(await saved("noted.py"), /ignore\[/);
    stage.set({});
  });

  it("keeps to what is asked for when the editor saves by itself", async () => {
    stage.set({
      "files.autoSave": "afterDelay",
      "files.autoSaveDelay": 300,
      "editor.codeActionsOnSave": { "source.fixAll.nnreuse": "explicit" },
    });
    writeFileSync(path.join(stage.folder, "noted.py"), noted);
    await workbench.waitForSquiggles(1);
    await workbench.page.waitForTimeout(1000); // until the editor has read the settings
    await workbench.page.keyboard.press("Control+End");
    await workbench.page.keyboard.type("# saved");
    await workbench.page.locator(".tab.active:not(.dirty)").waitFor();
    await waitUntil(() => readFileSync(path.join(stage.folder, "noted.py"), "utf8").includes("# saved"));
    assert.match(readFileSync(path.join(stage.folder, "noted.py"), "utf8"), /ignore\[/);
    await workbench.waitForSquiggles(1);
    stage.set({});
  });

  it("has a walkthrough whose pictures show what it speaks of", async () => {
    await workbench.command("Welcome: Open Walkthrough...");
    await workbench.page.locator(".quick-input-box input").fill("nnreuse");
    await workbench.page.locator(".quick-input-list .monaco-list-row", { hasText: "nnreuse" }).first().waitFor();
    await workbench.page.keyboard.press("Enter");
    const steps = workbench.page.locator(".gettingStartedDetailsContent .getting-started-step");
    await steps.nth(3).waitFor();
    await workbench.page.locator(".getting-started-media img").first().waitFor();
    await workbench.page.waitForTimeout(500); // the picture is drawn
    await workbench.shot("walkthrough");
    assert.equal(await steps.count(), 4);
    await workbench.page.getByRole("button", { name: "Show what the server found out about itself" }).click();
    const status = workbench.page.locator(".monaco-dialog-box");
    await status.waitFor();
    await workbench.shot("status");
    assert.match(await status.innerText(), /Version: 0\.1\.0/);
    await status.getByRole("button", { name: "Show Output" }).click();
    await workbench.page.locator(".view-lines", { hasText: "starting" }).last().waitFor();
    await workbench.shot("output");
    await workbench.page.keyboard.press("Control+J");
  });

  it("restarts the server by a command", async () => {
    const before = stage.serverProcess();
    await workbench.command("nnreuse: Restart Server");
    await waitUntil(() => ![before, undefined, Number.NaN].includes(stage.serverProcess()));
    await workbench.openFile("model.py");
    await workbench.waitForState("is running");
    await workbench.waitForSquiggles(1);
  });

  it("traces the model at the cursor with torch, or says why it cannot", async () => {
    const python = path.resolve(import.meta.dirname, "../../.venv/bin/python");
    stage.set({ "nnreuse.python": python });
    await workbench.goTo(secondCall, 1);
    await workbench.command("nnreuse: Trace This Model with torch");
    const box = workbench.page.locator(".quick-input-box input");
    await box.fill("2x3x8x8");
    await workbench.page.keyboard.press("Enter");
    const traced = workbench.page.locator(".view-lines", { hasText: "one forward in torch" });
    if (spawnSync(python, ["-c", "import torch"]).status === 0) {
      await traced.waitFor({ timeout: 60_000 });
      const lines = (await traced.innerText()).replaceAll("\u00a0", " ");
      assert.match(lines, /bn +2 +chained +\d+, \d+ +parameters, running statistics +agrees/);
    } else {
      console.log(`      ${python} has no torch: only the refusal is seen`);
      await workbench.notification("cannot import torch");
    }
    await workbench.shot("trace");
    stage.set({});
    await workbench.command("View: Close All Editors");
    await workbench.openFile("model.py");
    await workbench.waitForSquiggles(1);
  });

  it("draws squiggles in the cell of a notebook, and fixes it there", async () => {
    await workbench.openFile("train.ipynb");
    await workbench.waitForSquiggles(1);
    await workbench.shot("notebook");
    await workbench.squiggles().first().scrollIntoViewIfNeeded();
    const box = await workbench.squiggles().first().boundingBox();
    await workbench.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    const titles = await workbench.quickFixes();
    assert.match(titles[0], /split/i);
    await workbench.page.keyboard.press("Enter");
    await workbench.waitForSquiggles(0);
    await workbench.shot("notebook-fixed");
    await workbench.openFile("model.py");
  });

  it("says that the server was killed, and goes on with a new one", async () => {
    const killed = stage.serverProcess();
    process.kill(killed, "SIGKILL");
    await workbench.notification("stopped unexpectedly and is started again");
    await workbench.shot("server-killed");
    await workbench.waitForState("is running");
    assert.notEqual(stage.serverProcess(), killed);
    await workbench.goTo(secondCall, behindItsName);
    await workbench.timeToSquiggles("2", 0);
    await workbench.timeToSquiggles("Backspace", 1);
  });
});
