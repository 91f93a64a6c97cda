// An editor for unit tests: settings, trust and the Python extension are what a test says; messages are kept.

const { mkdtempSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const esbuild = require("esbuild");
const { install } = require("./fake_vscode.cjs");

const root = path.resolve(__dirname, "../..");
const built = path.join(root, "build/unit");
const sources = ["client", "commands", "environment", "extension", "interpreter", "launch", "refusal", "status"];

class Disposable {
  constructor(run) {
    this.dispose = run;
  }
}

class LanguageClient {
  static behaviour = () => {};
  constructor(_id, _name, server, options) {
    Object.assign(this, {
      server,
      options,
      sent: [],
      state: 2,
      initializeResult: { capabilities: {}, serverInfo: { version: "9" } },
    });
    LanguageClient.made.push(this);
  }
  async start() {
    await LanguageClient.behaviour(this);
  }
  async dispose() {
    this.disposed = true;
  }
  async sendNotification(method, params) {
    this.sent.push({ method, params });
  }
  async sendRequest() {
    throw new Error("method not found");
  }
  onDidChangeState() {}
}

/** An editor in which the extension's modules can be loaded with `load(name)`; `close` takes it away. */
exports.Editor = class {
  constructor({ settings = {}, trusted = true, folder = undefined, pythonExtension = undefined } = {}) {
    const storage = mkdtempSync(path.join(tmpdir(), "nnreuse-unit-"));
    Object.assign(this, {
      settings,
      trusted,
      messages: [],
      commands: {},
      progress: [],
      items: [],
      log: [],
      answer: undefined,
      active: undefined,
      input: undefined,
      opened: [],
    });
    LanguageClient.made = [];
    LanguageClient.behaviour = () => {};
    this.LanguageClient = LanguageClient;
    this.folder = folder && { uri: { fsPath: folder } };
    this.context = {
      subscriptions: [],
      globalStorageUri: { fsPath: path.join(storage, "global") },
      extension: { packageJSON: { version: "0.1.0" } },
      asAbsolutePath: (relative) => path.join(storage, relative),
    };
    this.storage = storage;
    this.restore = install({
      vscode: this.vscode(pythonExtension),
      "vscode-languageclient/node": {
        LanguageClient,
        State: { Running: 2 },
        CloseAction: { DoNotRestart: 1, Restart: 2 },
        ErrorAction: { Continue: 1 },
      },
    });
  }

  /** A module of the extension, freshly loaded. */
  load(name) {
    esbuild.buildSync({
      entryPoints: sources.map((source) => path.join(root, `vscode-client/src/${source}.ts`)),
      outdir: built,
      platform: "node",
      format: "cjs",
      logLevel: "error",
    });
    for (const source of sources) {
      delete require.cache[path.join(built, `${source}.js`)];
    }
    return require(path.join(built, `${name}.js`));
  }

  close() {
    this.restore();
  }

  get clients() {
    return LanguageClient.made;
  }

  vscode(pythonExtension) {
    const editor = this;
    const nothing = () => new Disposable(() => {});
    const say = (severity) => async (message) => {
      editor.messages.push([severity, message]);
      return editor.answer;
    };
    return {
      Disposable,
      ThemeColor: class {},
      StatusBarAlignment: { Right: 2 },
      ProgressLocation: { Notification: 15 },
      ViewColumn: { Beside: -2 },
      Uri: { parse: (text) => ({ fsPath: text }), from: (parts) => parts },
      env: { openExternal: (uri) => editor.messages.push(["opened", uri.fsPath]) },
      extensions: { getExtension: (id) => (id === "ms-python.python" ? pythonExtension : undefined) },
      languages: { getDiagnostics: () => [] },
      commands: {
        registerCommand(name, run) {
          editor.commands[name] = run;
          return nothing();
        },
        executeCommand: async (name, ...args) => editor.messages.push(["command", name, ...args]),
      },
      workspace: {
        get isTrusted() {
          return editor.trusted;
        },
        get workspaceFolders() {
          return editor.folder && [editor.folder];
        },
        getWorkspaceFolder: () => editor.folder,
        getConfiguration: (section) => ({
          get: (key) =>
            section === undefined
              ? editor.nested()
              : editor.settings[key.startsWith("nnreuse") ? key : `${section}.${key}`],
        }),
        onDidGrantWorkspaceTrust(run) {
          editor.grantTrust = run;
          return nothing();
        },
        onDidChangeConfiguration: nothing,
        registerTextDocumentContentProvider(_scheme, provider) {
          editor.provider = provider;
          return nothing();
        },
        openTextDocument: async (uri) => editor.provider.provideTextDocumentContent(uri),
      },
      window: {
        get activeTextEditor() {
          return editor.active;
        },
        showInputBox: async () => editor.input,
        showTextDocument: async (document) => editor.opened.push(document),
        showErrorMessage: say("error"),
        showWarningMessage: say("warning"),
        showInformationMessage: say("information"),
        onDidChangeActiveTextEditor: nothing,
        createOutputChannel: () => ({
          info: (line) => editor.log.push(line),
          error: (line) => editor.log.push(line),
          show: () => editor.messages.push(["shown"]),
          dispose() {},
        }),
        createStatusBarItem: () => {
          const item = { show() {}, hide() {}, dispose() {} };
          editor.items.push(item);
          return item;
        },
        withProgress: async (options, run) => {
          editor.progress.push(options.title);
          return run({ report() {} });
        },
      },
    };
  }

  nested() {
    return Object.fromEntries(
      Object.entries(this.settings).map(([key, value]) => [key.replace("nnreuse.", "").split(".")[0], value]),
    );
  }
};
