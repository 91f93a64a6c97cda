// Why the server cannot run, in words for the user, with what the user can do about it.

import * as vscode from "vscode";

export const TRY_AGAIN = "Try Again";
export const SHOW_OUTPUT = "Show Output";
export const OPEN_SETTINGS = "Open Settings";
export const DOWNLOAD_PYTHON = "Get Python";

/** A start that failed for a reason which the user can mend. `details` go to the log. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly actions: string[],
    readonly details = "",
  ) {
    super(message);
  }
}

/** Shows a message with its actions and carries out the one that is chosen. */
export async function tell(
  show: typeof vscode.window.showErrorMessage,
  message: string,
  ...actions: string[]
): Promise<void> {
  const doing: Record<string, () => unknown> = {
    [TRY_AGAIN]: () => vscode.commands.executeCommand("nnreuse.restart"),
    [SHOW_OUTPUT]: () => vscode.commands.executeCommand("nnreuse.showOutput"),
    [OPEN_SETTINGS]: () => vscode.commands.executeCommand("workbench.action.openSettings", "nnreuse.server.path"),
    [DOWNLOAD_PYTHON]: () => vscode.env.openExternal(vscode.Uri.parse("https://www.python.org/downloads/")),
  };
  const chosen = await show(message, ...actions);
  await doing[chosen ?? ""]?.();
}
