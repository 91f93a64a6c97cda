// An extension that answers as Microsoft's Python extension does, of which no copy may be shipped: the part of its published
// interface that concerns the selected environment, and the command that selects another.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

export const SELECT_OTHER = "Fake Python: Select the Other Interpreter";

const manifest = {
  name: "python",
  publisher: "ms-python",
  version: "2026.0.0",
  engines: { vscode: "^1.91.0" },
  main: "./main.js",
  activationEvents: ["onLanguage:python"],
  contributes: { commands: [{ command: "fakePython.select", title: SELECT_OTHER }] },
};

const main = (interpreters) => `const vscode = require("vscode");
const interpreters = ${JSON.stringify(interpreters)};
let selected = 0;
exports.activate = (context) => {
  const changed = new vscode.EventEmitter();
  const active = () => ({ id: interpreters[selected], path: interpreters[selected] });
  context.subscriptions.push(changed, vscode.commands.registerCommand("fakePython.select", () => {
    selected = 1 - selected;
    changed.fire({ ...active(), resource: undefined });
  }));
  return { environments: {
    getActiveEnvironmentPath: () => active(),
    resolveEnvironment: async ({ path }) => ({ id: path, path, executable: { uri: vscode.Uri.file(path) } }),
    onDidChangeActiveEnvironmentPath: changed.event,
  } };
};
`;

/** Writes the extension into a folder of extensions; it selects the first of two interpreters. */
export function write(extensions, interpreters) {
  const home = path.join(extensions, `ms-python.python-${manifest.version}`);
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, "package.json"), JSON.stringify(manifest));
  writeFileSync(path.join(home, "main.js"), main(interpreters));
}
