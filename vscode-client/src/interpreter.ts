// The Python that the user's code runs with, and how a change of it becomes known.

import { accessSync, constants, existsSync } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";

/** What is used of the Python extension's published interface. */
interface Environments {
  getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
  resolveEnvironment(found: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
  onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
}

const windows = process.platform === "win32";

/** The interpreter inside a virtual environment. */
export function pythonIn(environment: string): string {
  return windows ? path.join(environment, "Scripts", "python.exe") : path.join(environment, "bin", "python");
}

/** The interpreter of a folder: our setting, the Python extension's choice, `.venv`, the first on PATH.
 *  In a folder that is not trusted only what the user set for all folders, and PATH. */
export async function interpreterOf(folder?: vscode.WorkspaceFolder): Promise<string | undefined> {
  const set = vscode.workspace.getConfiguration("nnreuse", folder?.uri ?? null).get<string>("python");
  if (set) {
    return path.resolve(folder?.uri.fsPath ?? "", set.replace("${workspaceFolder}", folder?.uri.fsPath ?? ""));
  }
  if (vscode.workspace.isTrusted) {
    const chosen = (await selected(folder)) ?? (folder && pythonIn(path.join(folder.uri.fsPath, ".venv")));
    if (chosen && existsSync(chosen)) {
      return chosen;
    }
  }
  return onPath("python3", "python")[0];
}

/** Absolute paths of those of the programs that PATH has, in the order given. A relative entry of PATH is passed over. */
export function onPath(...programs: string[]): string[] {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter(path.isAbsolute);
  const files = programs.flatMap((name) => folders.map((folder) => path.join(folder, windows ? `${name}.exe` : name)));
  return files.filter(isExecutable);
}

/** Calls back when the Python extension's choice changes. Without that extension nothing ever does. */
export async function onInterpreterChange(changed: () => unknown): Promise<vscode.Disposable> {
  return (await environments())?.onDidChangeActiveEnvironmentPath(changed) ?? new vscode.Disposable(() => {});
}

async function selected(folder?: vscode.WorkspaceFolder): Promise<string | undefined> {
  const python = await environments();
  const found = python && (await python.resolveEnvironment(python.getActiveEnvironmentPath(folder?.uri)));
  return found?.executable.uri?.fsPath;
}

async function environments(): Promise<Environments | undefined> {
  const extension = vscode.extensions.getExtension<{ environments?: Environments }>("ms-python.python");
  try {
    return (await extension?.activate())?.environments;
  } catch {
    return undefined; // its own error is its own to show
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
