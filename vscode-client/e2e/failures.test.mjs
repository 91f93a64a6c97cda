// What a user is told when the server cannot be had as meant, in a real VS Code. Each message is kept as a picture.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { open } from "./stage.mjs";

const model = readFileSync(path.resolve(import.meta.dirname, "../../examples/article/model.py"), "utf8");

describe("what the user is told", () => {
  let place;
  let stage;

  beforeEach(() => {
    place = mkdtempSync(path.join(tmpdir(), "nnreuse-e2e-programs-"));
  });
  afterEach(async function () {
    if (this.currentTest.state === "failed") {
      await stage?.workbench.shot(`failed-${this.currentTest.title.replaceAll(/\W+/g, "-")}`);
    }
    await stage?.close();
    stage = undefined;
    rmSync(place, { recursive: true });
  });

  /** A program of the test's own. */
  function program(relative, body) {
    const file = path.join(place, relative);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  /** Opens the model where only the test's own programs are on PATH; the login shell, which would reset it, is not asked. */
  async function openModel(options) {
    stage = await open({ files: { "model.py": model }, ...options });
    await stage.workbench.openFile("model.py");
    return stage.workbench;
  }
  const onlyOwnPrograms = () => ({ PATH: path.join(place, "bin"), SHELL: program("bin/no-shell", "exit 1") });

  it("without Python: what to install, and what to do then", async () => {
    const workbench = await openModel({ environment: onlyOwnPrograms() });
    const message = await workbench.notification("nnreuse needs Python 3.11 or newer");
    await workbench.shot("failure-no-python");
    assert.match(await message.innerText(), /found none on PATH/);
    for (const action of ["Get Python", "Try Again", "Open Settings", "Show Output"]) {
      assert.equal(await message.getByRole("button", { name: action }).count(), 1, action);
    }
    await workbench.waitForState("does not run");
  });

  it("with a Python that is too old: which one was found", async () => {
    program("bin/python3", "echo 3 9");
    const workbench = await openModel({ environment: onlyOwnPrograms() });
    const message = await workbench.notification("found only Python 3.9");
    await workbench.shot("failure-python-too-old");
    assert.match(await message.innerText(), /bin\/python3/);
  });

  it("with a broken environment: why its server does not start, and that another is used", async () => {
    const environment = path.join(place, "broken");
    execFileSync("python3", ["-I", "-m", "venv", "--without-pip", environment]);
    const python = path.join(environment, "bin/python");
    const packages = "import sysconfig; print(sysconfig.get_path('purelib'))";
    const broken = path.join(execFileSync(python, ["-I", "-c", packages]).toString().trim(), "nnreuse");
    mkdirSync(broken);
    writeFileSync(path.join(broken, "__init__.py"), "");
    writeFileSync(path.join(broken, "__main__.py"), "import nnreuse.lsp.server\n");
    const workbench = await openModel({ settings: { "nnreuse.python": python } });
    const message = await workbench.notification("does not start");
    await workbench.shot("failure-broken-environment");
    assert.equal(await workbench.page.locator(".notification-list-item").count(), 1);
    assert.match(await message.innerText(), /No module named 'nnreuse\.lsp'.*the extension's own environment instead/s);
    await workbench.waitForSquiggles(1);
  });

  it("offline, with the build that fetches what it needs: what could not be reached, and which build to take", async () => {
    const offline = { PIP_INDEX_URL: "http://127.0.0.1:9/simple", PIP_CONFIG_FILE: "/dev/null", PIP_RETRIES: "0" };
    const environment = { ...offline, PIP_FIND_LINKS: "", PIP_EXTRA_INDEX_URL: "", PIP_NO_INDEX: "" };
    const workbench = await openModel({ target: "universal", environment });
    const message = await workbench.notification("could not install its server");
    await workbench.shot("failure-offline");
    assert.match(await message.innerText(), /Try again when online/);
    assert.ok(!existsSync(path.join(stage.profile, "ud/User/globalStorage/nnreuse.nnreuse/server-0.1.0")));
  });

  it("in a folder that is not trusted: findings, nothing of the folder run, and that this is so", async () => {
    const ran = path.join(place, "ran");
    const files = { "model.py": model, ".venv/bin/python": `#!/bin/sh\ntouch ${ran}\n` };
    stage = await open({ files, trusted: false });
    chmodSync(path.join(stage.folder, ".venv/bin/python"), 0o755);
    const { workbench } = stage;
    await workbench.openFile("model.py");
    await workbench.waitForSquiggles(1);
    await workbench.waitForState("is running");
    await workbench.command("nnreuse: Show Status");
    const status = workbench.page.locator(".monaco-dialog-box");
    await status.waitFor();
    await workbench.shot("not-trusted");
    assert.match(await status.innerText(), /Not trusted: nothing in the workspace is run/);
    assert.ok(!existsSync(ran));
  });
});
