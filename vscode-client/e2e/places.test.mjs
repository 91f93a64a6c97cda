// Where code lives: a workspace of several folders with settings and interpreters of their own, and the interpreter that the
// Python extension selects.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { SELECT_OTHER, write } from "./python_extension.mjs";
import { open } from "./stage.mjs";

const model = readFileSync(path.resolve(import.meta.dirname, "../../examples/article/model.py"), "utf8");

describe("where the code lives", () => {
  let stage;

  afterEach(async function () {
    if (this.currentTest.state === "failed") {
      await stage?.workbench.shot(`failed-${this.currentTest.title.replaceAll(/\W+/g, "-")}`);
    }
    await stage?.close();
    stage = undefined;
  });

  function environment(folder) {
    execFileSync("python3", ["-I", "-m", "venv", "--without-pip", folder]);
    return path.join(folder, "bin/python");
  }

  /** Opens an editor on two interpreters in `project`, of which the Python extension selects the first. */
  function withPythonExtension(files) {
    return open({
      files,
      prepare: ({ folder, extensions }) =>
        write(extensions, [environment(path.join(folder, "one")), environment(path.join(folder, "two"))]),
    });
  }

  it("uses each folder's own settings and interpreter in a workspace of several", async () => {
    const folders = [{ path: "noisy" }, { path: "quiet" }];
    stage = await open({
      files: {
        "noisy/noisy.py": model,
        "quiet/quiet.py": model,
        "quiet/.vscode/settings.json": '{ "nnreuse.ignore": ["shared-batch-norm"] }',
        "all.code-workspace": JSON.stringify({ folders }),
      },
      prepare: ({ folder }) => folders.map(({ path: name }) => environment(path.join(folder, name, ".venv"))),
      workspace: "all.code-workspace",
    });
    const { workbench, folder } = stage;
    for (const [name, squiggles] of [
      ["noisy", 1],
      ["quiet", 0],
      ["noisy", 1],
    ]) {
      await workbench.quickOpen(`${name}.py`);
      await workbench.waitForState("is running");
      await workbench.waitForSquiggles(squiggles);
      await workbench.shot(`several-folders-${name}`);
      assert.ok((await workbench.status()).includes(path.join(folder, name, ".venv/bin/python")), name);
    }
  });

  it("uses the interpreter that the Python extension selects, and follows it without a reload", async () => {
    stage = await withPythonExtension({ "model.py": model });
    const { workbench, folder } = stage;
    await workbench.openFile("model.py");
    await workbench.waitForSquiggles(1);
    await workbench.waitForState("is running");
    const server = stage.serverProcess();
    assert.ok((await workbench.status()).includes(path.join(folder, "one/bin/python")));
    await workbench.command(SELECT_OTHER);
    await workbench.page
      .locator(`.statusbar-item[aria-label*="nnreuse"][aria-label*="${path.join(folder, "two/bin/python")}"]`)
      .waitFor();
    assert.ok((await workbench.status("other-interpreter")).includes(path.join(folder, "two/bin/python")));
    assert.equal(stage.serverProcess(), server);
  });
});
