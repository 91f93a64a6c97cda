// Which program is the server: the one that is set, that of the selected interpreter, or our own; in this order.

import * as vscode from "vscode";
import { output, ownPython, removeOwn } from "./environment";
import { interpreterOf } from "./interpreter";

/** A command line of nnreuse, to which a subcommand is added, and where it comes from. */
export interface Launch {
  command: string;
  args: string[];
  origin: string;
}

// Isolated: neither the working folder nor PYTHONPATH nor the user's site-packages reach the server.
const MODULE = ["-I", "-m", "nnreuse"];

/** The servers to try, best first; a later one only when those before did not start. Throws Refusal. */
export async function* launches(context: vscode.ExtensionContext): AsyncGenerator<Launch> {
  const set = vscode.workspace.getConfiguration("nnreuse").get<string>("server.path");
  if (set) {
    yield { command: set, args: [], origin: "the setting nnreuse.server.path" };
    return;
  }
  const python = await interpreterOf(vscode.workspace.workspaceFolders?.[0]);
  if (python && vscode.workspace.isTrusted && (await hasServer(python))) {
    yield { command: python, args: MODULE, origin: `the environment of ${python}` };
  }
  const origin = "the extension's own environment";
  yield { command: await ownPython(context, python), args: MODULE, origin };
  await removeOwn(context); // it did not start: made anew, once
  yield { command: await ownPython(context, python), args: MODULE, origin };
}

async function hasServer(python: string): Promise<boolean> {
  return output(python, ["-I", "-c", "import nnreuse"]).then(
    () => true,
    () => false,
  );
}
