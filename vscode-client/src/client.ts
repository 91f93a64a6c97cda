// One connection to one server: what it is told of this editor, and what is said when it ends by itself.

import { createInterface } from "node:readline";
import * as vscode from "vscode";
import { CloseAction, ErrorAction, LanguageClient, type LanguageClientOptions } from "vscode-languageclient/node";
import { interpreterOf } from "./interpreter";
import type { Launch } from "./launch";
import { SHOW_OUTPUT, TRY_AGAIN, tell } from "./refusal";

const LANGUAGES = ["file", "untitled", "vscode-notebook-cell"].map((scheme) => ({ scheme, language: "python" }));
const REPORT = "nnreuse.reportWrongFinding";
const RESTARTS = { most: 4, within: 3 * 60_000 };

export interface Channels {
  log: vscode.LogOutputChannel;
  trace: vscode.LogOutputChannel;
}

/** A client that writes to the log only: of a server that cannot be reached we tell ourselves, and the server of its errors. */
class Client extends LanguageClient {
  override error(message: string, details?: unknown): void {
    super.error(message, details, false);
  }
}

/** The settings of a folder as the server reads them: without what is ours alone, and with what only we can know. */
export async function settingsOf(folder?: vscode.WorkspaceFolder): Promise<Record<string, unknown>> {
  const all = vscode.workspace.getConfiguration(undefined, folder?.uri ?? null).get<Record<string, unknown>>("nnreuse");
  const { server: _server, trace: _trace, ...settings } = { ...all };
  return { ...settings, python: await interpreterOf(folder), trusted: vscode.workspace.isTrusted };
}

/** Tells the server that settings have changed: those of no folder, which a server that asks for each folder's ignores. */
export async function sendSettings(client: LanguageClient): Promise<void> {
  await client.sendNotification("workspace/didChangeConfiguration", { settings: { nnreuse: await settingsOf() } });
}

/** Starts a server and waits until it answers; `told` is called when it has been told settings that it asked for.
 *  Rejects with the last words of one that does not answer. */
export async function connect(launch: Launch, channels: Channels, told: () => void): Promise<LanguageClient> {
  let lastWords = "";
  let running = false;
  const ends: number[] = [];
  const options: LanguageClientOptions = {
    documentSelector: LANGUAGES,
    outputChannel: channels.log,
    traceOutputChannel: channels.trace,
    initializationOptions: { settings: await settingsOf() },
    initializationFailedHandler: () => false,
    stdioOptions: {
      stdout: () => {}, // the protocol's
      stderr: (stream, log) => {
        createInterface(stream).on("line", (line) => {
          lastWords = line || lastWords;
          log.info(line);
        });
      },
    },
    middleware: {
      executeCommand: async (command, args, next) => {
        const answer: { text?: string } | undefined = await next(command, args);
        if (command === REPORT && answer?.text) {
          await vscode.env.clipboard.writeText(answer.text);
          void vscode.window.showInformationMessage("The report is on the clipboard. Nothing was sent: read it first.");
        }
        return answer;
      },
      workspace: {
        configuration: async (params) => {
          const answers = await Promise.all(
            params.items.map(({ scopeUri }) =>
              settingsOf(scopeUri ? vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(scopeUri)) : undefined),
            ),
          );
          setImmediate(told); // behind the answer, since messages keep their order
          return answers;
        },
        didChangeConfiguration: () => sendSettings(client),
      },
    },
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        if (!running) {
          return { action: CloseAction.DoNotRestart, handled: true };
        }
        ends.push(Date.now());
        if (ends.filter((end) => Date.now() - end < RESTARTS.within).length > RESTARTS.most) {
          void tell(
            vscode.window.showErrorMessage,
            "The nnreuse server keeps stopping and was not started again.",
            TRY_AGAIN,
            SHOW_OUTPUT,
          );
          return { action: CloseAction.DoNotRestart, handled: true };
        }
        void tell(
          vscode.window.showWarningMessage,
          "The nnreuse server stopped unexpectedly and is started again.",
          SHOW_OUTPUT,
        );
        return { action: CloseAction.Restart, handled: true };
      },
    },
  };
  const client = new Client(
    "nnreuse",
    "nnreuse",
    { command: launch.command, args: [...launch.args, "server"] },
    options,
  );
  try {
    await client.start();
    running = true;
    return client;
  } catch (error) {
    throw new Error(lastWords || (error as Error).message);
  }
}
