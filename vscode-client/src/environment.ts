// The server's own environment: made in the extension's storage on first use, from the wheels that the extension
// carries, so that nothing of ours is ever installed among the user's packages.

import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { onPath, pythonIn } from "./interpreter";
import { DOWNLOAD_PYTHON, OPEN_SETTINGS, Refusal, TRY_AGAIN } from "./refusal";

const execute = promisify(execFile);
const NEWER_PYTHONS = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];

/** What a program prints. Rejects where it fails, its standard error in the message. Runs outside of the workspace. */
export async function output(program: string, args: string[], cwd = path.dirname(program)): Promise<string> {
  return (await execute(program, args, { cwd, maxBuffer: 2 ** 26 })).stdout;
}

/** The interpreter of the server's own environment, which is made where there is none. Throws Refusal. */
export async function ownPython(context: vscode.ExtensionContext, preferred?: string): Promise<string> {
  const folder = folderOf(context);
  if (!existsSync(pythonIn(folder))) {
    const options = { location: vscode.ProgressLocation.Notification, title: "nnreuse: preparing its server, once" };
    await vscode.window.withProgress(options, async (progress) => {
      const base = await suitablePython(preferred);
      progress.report({ message: `with ${base}` });
      await make(context, base, folder);
    });
  }
  return pythonIn(folder);
}

/** Removes the server's own environment, so that the next use makes it anew. */
export async function removeOwn(context: vscode.ExtensionContext): Promise<void> {
  await rm(folderOf(context), { recursive: true, force: true });
}

function folderOf(context: vscode.ExtensionContext): string {
  return path.join(context.globalStorageUri.fsPath, `server-${context.extension.packageJSON.version}`);
}

/** Builds beside the place and moves there when complete: half an environment is never found, whoever is interrupted. */
async function make(context: vscode.ExtensionContext, base: string, folder: string): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true });
  const building = await mkdtemp(`${folder}.`);
  try {
    await output(base, ["-I", "-m", "venv", "--without-pip", building]); // Debian's Python may lack ensurepip
    await install(context, pythonIn(building));
    await rm(folder, { recursive: true, force: true });
    await rename(building, folder).catch(() => {}); // another window may have been first
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

async function install(context: vscode.ExtensionContext, python: string): Promise<void> {
  const wheels = context.asAbsolutePath("dist/wheels");
  const pip = readdirSync(wheels).find((name) => name.startsWith("pip-")) ?? "";
  const install = [
    "-I",
    path.join(wheels, pip, "pip"),
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-input",
  ];
  const wanted = ["--find-links", wheels, `nnreuse==${context.extension.packageJSON.version}`];
  try {
    await output(python, [...install, "--no-index", ...wanted]);
  } catch {
    await output(python, [...install, ...wanted]).catch((error: Error) => {
      const reason = error.message.trim().split("\n").at(-1);
      throw new Refusal(
        `nnreuse could not install its server: this build of the extension does not carry all it needs for this Python, and the package index was not reached. Try again when online, or use the extension's build for this platform. (${reason})`,
        [TRY_AGAIN, OPEN_SETTINGS],
        error.message,
      );
    });
  }
}

/** The first Python that can run the server. Throws Refusal, which tells no Python from one that is too old. */
async function suitablePython(preferred?: string): Promise<string> {
  const old: string[] = [];
  for (const python of [preferred, ...onPath(...NEWER_PYTHONS)]) {
    const version = python && (await versionOf(python));
    if (version && version.major === 3 && version.minor >= 11) {
      return python;
    }
    if (version) {
      old.push(`${version.major}.${version.minor} (${python})`);
    }
  }
  const found = old.length ? `found only Python ${[...new Set(old)].join(", ")}` : "found none on PATH";
  throw new Refusal(
    `nnreuse needs Python 3.11 or newer to run its server, and ${found}. Your project may keep its own version.`,
    [DOWNLOAD_PYTHON, TRY_AGAIN, OPEN_SETTINGS],
  );
}

async function versionOf(python: string): Promise<{ major: number; minor: number } | undefined> {
  try {
    const [major, minor] = (await output(python, ["-I", "-c", "import sys; print(*sys.version_info[:2])"])).split(" ");
    return { major: Number(major), minor: Number(minor) };
  } catch {
    return undefined;
  }
}
