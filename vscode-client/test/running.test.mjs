// What happens while a server runs: its end, changed interpreters, settings; and what the manifest promises.

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import editors from "./editor.cjs";

const { Editor } = editors;
const root = path.resolve(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

describe("a running server", () => {
  let editor;
  let changed;

  beforeEach(async () => {
    const environments = {
      getActiveEnvironmentPath: () => ({ path: "x" }),
      resolveEnvironment: async () => ({ executable: { uri: { fsPath: editor.selected } } }),
      onDidChangeActiveEnvironmentPath: (run) => {
        changed = run;
        return { dispose() {} };
      },
    };
    editor = new Editor({
      settings: { "nnreuse.server.path": "/opt/nnreuse", "nnreuse.minSeverity": "error" },
      pythonExtension: { activate: async () => ({ environments }) },
    });
    editor.selected = process.execPath;
    await editor.load("extension").activate(editor.context);
  });
  afterEach(() => {
    editor.close();
    rmSync(editor.storage, { recursive: true });
  });

  it("is told of another interpreter without a restart", async () => {
    editor.selected = "/bin/sh";
    await changed();
    assert.equal(editor.clients.length, 1);
    const [{ method, params }] = editor.clients[0].sent;
    assert.equal(method, "workspace/didChangeConfiguration");
    assert.equal(params.settings.nnreuse.python, "/bin/sh");
  });

  it("gets the settings of each folder it asks for, without those that are the client's alone", async () => {
    const { configuration } = editor.clients[0].options.middleware.workspace;
    const [settings] = await configuration({ items: [{ section: "nnreuse" }] });
    assert.deepEqual(settings, { minSeverity: "error", python: process.execPath, trusted: true });
  });

  it("is started again when it dies, with a word to the user, but not for ever", () => {
    const { closed } = editor.clients[0].options.errorHandler;
    const actions = Array.from({ length: 5 }, () => closed().action);
    assert.deepEqual(actions, [2, 2, 2, 2, 1]);
    assert.deepEqual(
      editor.messages.map(([severity]) => severity),
      ["warning", "warning", "warning", "warning", "error"],
    );
  });

  it("says that it does not offer to trace a model rather than nothing", async () => {
    await editor.commands["nnreuse.traceModel"]();
    assert.match(editor.messages[0][1], /does not offer/);
  });

  describe("where the server offers to trace a model", () => {
    const shown = [];
    beforeEach(() => {
      shown.length = 0;
      editor.input = "2x3x8x8";
      editor.active = {
        document: { uri: "file:///net.py", save: async () => shown.push("saved") },
        selection: { active: 3 },
      };
      const [client] = editor.clients;
      client.initializeResult.capabilities.executeCommandProvider = { commands: ["nnreuse.trace"] };
      client.code2ProtocolConverter = { asUri: (uri) => uri, asPosition: (line) => ({ line, character: 0 }) };
      client.sendRequest = async (method, params) => {
        shown.push([method, params.arguments]);
        return { text: "bn 2 chained" };
      };
    });
    const trace = () => editor.commands["nnreuse.traceModel"]();

    it("saves the file, asks for the inputs, and opens what torch saw", async () => {
      await trace();
      const place = ["file:///net.py", { line: 3, character: 0 }, "2x3x8x8"];
      assert.deepEqual(shown, ["saved", ["workspace/executeCommand", place]]);
      assert.deepEqual(editor.opened, ["bn 2 chained"]);
    });

    it("does nothing where the question for the inputs is dismissed", async () => {
      editor.input = undefined;
      await trace();
      assert.deepEqual([shown, editor.opened, editor.messages], [[], [], []]);
    });

    it("says why there is no trace in the server's words", async () => {
      editor.clients[0].sendRequest = async () => {
        throw new Error("forward fails: no such shape");
      };
      await trace();
      assert.deepEqual(editor.messages, [["error", "nnreuse: forward fails: no such shape"]]);
    });
  });

  it("reports itself, with the shortest truth where the server has no report", async () => {
    assert.match(editor.items[0].tooltip, /is running\nVersion: 9\nServer: the setting nnreuse\.server\.path/);
  });

  it("starts once more, not thrice, for three wishes at once", async () => {
    const { "nnreuse.restart": restart } = editor.commands;
    await Promise.all([restart(), restart(), restart()]);
    assert.equal(editor.clients.length, 2);
    await restart();
    assert.equal(editor.clients.length, 3);
  });

  it("has every command of the manifest", () => {
    for (const { command } of manifest.contributes.commands) {
      assert.ok(editor.commands[command], command);
    }
  });
});

describe("the manifest", () => {
  it("names a description and a scope for each setting that names a program", () => {
    for (const [name, setting] of Object.entries(manifest.contributes.configuration.properties)) {
      assert.ok(setting.markdownDescription ?? setting.description, name);
      assert.ok(setting.scope, name);
    }
    for (const name of manifest.capabilities.untrustedWorkspaces.restrictedConfigurations) {
      assert.equal(manifest.contributes.configuration.properties[name].scope, "machine-overridable", name);
    }
  });

  it("points at files that exist", () => {
    const media = [
      manifest.icon,
      ...(manifest.contributes.walkthroughs ?? []).flatMap(({ steps }) => steps.map((step) => step.media.image)),
    ];
    for (const file of media) {
      assert.ok(existsSync(path.join(root, file)), file);
    }
  });

  it("has the version of the server", () => {
    const source = readFileSync(path.join(root, "server/nnreuse/__init__.py"), "utf8");
    assert.equal(manifest.version, /__version__ = "(.+)"/.exec(source)[1]);
  });
});

describe("the bundle", () => {
  it("loads and has what the editor calls", () => {
    const bundle = readFileSync(path.join(root, "dist/extension.js"), "utf8");
    assert.match(bundle, /activate/);
    assert.match(bundle, /deactivate/);
  });
});
