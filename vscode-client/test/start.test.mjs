// Which server is started, and what is said when one does not start.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import editors from "./editor.cjs";
import { program, python } from "./programs.mjs";

const { Editor } = editors;

describe("the start of the server", () => {
  const searchPath = process.env.PATH;
  let editor;
  let bin;

  /** An editor whose PATH has these programs and the shell's own only. */
  function open(options = {}) {
    editor = new Editor(options);
    bin = path.join(editor.storage, "bin");
    mkdirSync(path.join(editor.storage, "dist/wheels"), { recursive: true });
    writeFileSync(path.join(editor.storage, "dist/wheels/pip-1-py3-none-any.whl"), "");
    for (const tool of ["mkdir", "cp"]) {
      program(path.join(bin, tool), `exec /bin/${tool} "$@"`);
    }
    process.env.PATH = bin;
    return editor;
  }
  afterEach(() => {
    process.env.PATH = searchPath;
    editor.close();
    rmSync(editor.storage, { recursive: true });
  });

  const activate = async () => editor.load("extension").activate(editor.context);
  const command = (client) => [client.server.command, ...client.server.args];
  const own = () => path.join(editor.context.globalStorageUri.fsPath, "server-0.1.0/bin/python");
  const isolated = ["-I", "-m", "nnreuse", "server"];

  it("takes the program that is set before anything else", async () => {
    open({ settings: { "nnreuse.server.path": "/opt/nnreuse" } });
    python(path.join(bin, "python3"), { has: true });
    await activate();
    assert.deepEqual(command(editor.clients[0]), ["/opt/nnreuse", "server"]);
  });

  it("tries nothing else where the program that is set does not start, and says why", async () => {
    open({ settings: { "nnreuse.server.path": "/opt/nnreuse" } });
    python(path.join(bin, "python3"));
    editor.LanguageClient.behaviour = () => Promise.reject(new Error("spawn ENOENT"));
    await activate();
    assert.equal(editor.clients.length, 1);
    const [severity, message] = editor.messages[0];
    assert.equal(severity, "error");
    assert.match(message, /nnreuse\.server\.path does not start: spawn ENOENT/);
    assert.match(editor.items[0].text, /error/);
  });

  it("takes the environment of the selected interpreter where that has nnreuse", async () => {
    open();
    const selected = python(path.join(editor.storage, "conda/bin/python"), { has: true });
    const environments = {
      getActiveEnvironmentPath: () => ({ path: "conda" }),
      resolveEnvironment: async () => ({ executable: { uri: { fsPath: selected } } }),
      onDidChangeActiveEnvironmentPath: () => ({ dispose() {} }),
    };
    editor.close();
    const { storage } = editor;
    editor = new Editor({ pythonExtension: { activate: async () => ({ environments }) } });
    rmSync(editor.storage, { recursive: true });
    editor.storage = storage;
    await activate();
    assert.deepEqual(command(editor.clients[0]), [selected, ...isolated]);
    assert.equal(editor.clients[0].options.initializationOptions.settings.python, selected);
  });

  it("makes an environment of its own on first use, and finds it the next time", async () => {
    open();
    const log = path.join(editor.storage, "log");
    python(path.join(bin, "python3"), { log });
    await activate();
    assert.deepEqual(command(editor.clients[0]), [own(), ...isolated]);
    assert.equal(editor.progress.length, 1);
    assert.match(readFileSync(log, "utf8"), /-m venv --without-pip/);
    assert.match(readFileSync(log, "utf8"), /install .*--no-index .*nnreuse==0\.1\.0/);
    await editor.commands["nnreuse.restart"]();
    assert.equal(editor.progress.length, 1);
    assert.equal(editor.clients.length, 2);
    assert.ok(editor.clients[0].disposed);
  });

  it("asks the package index where the wheels it carries do not fit", async () => {
    open();
    python(path.join(bin, "python3"), { offline: false });
    await activate();
    assert.equal(editor.clients.length, 1);
    assert.deepEqual(editor.messages, []);
  });

  it("leaves no half environment behind, and says what to do, where the index is not reached", async () => {
    open();
    python(path.join(bin, "python3"), { offline: false, online: false });
    await activate();
    assert.equal(editor.clients.length, 0);
    assert.match(editor.messages[0][1], /Try again when online.*no network/s);
    assert.deepEqual(readdirSync(editor.context.globalStorageUri.fsPath), []);
  });

  it("makes its own environment anew, once, where the server in it does not start", async () => {
    open();
    python(path.join(bin, "python3"));
    editor.LanguageClient.behaviour = () => editor.clients.length === 1 && Promise.reject(new Error("half a package"));
    await activate();
    assert.equal(editor.clients.length, 2);
    assert.equal(editor.progress.length, 2);
    assert.match(editor.messages[0][1], /half a package/);
  });

  it("uses its own environment where the server of the interpreter's does not start, and says so", async () => {
    open();
    python(path.join(bin, "python3"), { has: true });
    editor.LanguageClient.behaviour = () => editor.clients.length === 1 && Promise.reject(new Error("no pygls"));
    await activate();
    assert.equal(editor.clients.length, 2);
    const [severity, message] = editor.messages[0];
    assert.equal(severity, "warning");
    assert.match(message, /python3 does not start: no pygls\. It uses the extension's own environment instead/);
  });

  it("tells that there is no Python", async () => {
    open();
    await activate();
    assert.match(editor.messages[0][1], /needs Python 3\.11 or newer.*found none on PATH/);
  });

  it("tells which Python is too old, and passes over it where a newer one is found", async () => {
    open();
    python(path.join(bin, "python3"), { version: "3 9" });
    await activate();
    assert.match(editor.messages[0][1], /found only Python 3\.9 \(.*python3\)/);
    python(path.join(bin, "python3.12"));
    await editor.commands["nnreuse.restart"]();
    assert.equal(editor.clients.length, 1);
  });

  it("opens what the chosen action names", async () => {
    open();
    editor.answer = "Get Python";
    await activate();
    await new Promise(setImmediate);
    assert.ok(editor.messages.some(([kind]) => kind === "opened"));
  });

  describe("in a folder that is not trusted", () => {
    it("runs nothing of the folder", async () => {
      open({ trusted: false });
      const log = path.join(editor.storage, "log");
      python(path.join(editor.storage, "project/.venv/bin/python"), { has: true, log });
      editor.folder = { uri: { fsPath: path.join(editor.storage, "project") } };
      python(path.join(bin, "python3"));
      await activate();
      assert.deepEqual(command(editor.clients[0]), [own(), ...isolated]);
      assert.ok(!existsSync(log));
      assert.equal(editor.clients[0].options.initializationOptions.settings.trusted, false);
      assert.match(editor.items[0].text, /shield/);
    });

    it("starts again with the folder's own interpreter when trust is given", async () => {
      open({ trusted: false });
      const selected = python(path.join(editor.storage, "project/.venv/bin/python"), { has: true });
      editor.folder = { uri: { fsPath: path.join(editor.storage, "project") } };
      python(path.join(bin, "python3"));
      await activate();
      editor.trusted = true;
      await editor.grantTrust();
      assert.deepEqual(command(editor.clients[1]), [selected, ...isolated]);
    });
  });
});
