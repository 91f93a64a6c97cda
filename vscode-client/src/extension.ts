// Starts and stops the server, and adds to the editor what the protocol has no word for. No analysis happens here.

import * as vscode from "vscode";
import { State } from "vscode-languageclient/node";
import { type Channels, connect, sendSettings } from "./client";
import { type CallsPlace, Pages, type Running, reportOf, showCalls, showStatus, traceModel } from "./commands";
import { onInterpreterChange } from "./interpreter";
import { launches } from "./launch";
import { Refusal, SHOW_OUTPUT, TRY_AGAIN, tell } from "./refusal";
import { Status } from "./status";

let running: Running | undefined;
let turn: Promise<void> = Promise.resolve();
let queued: Promise<void> | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("nnreuse", { log: true });
  const trace = vscode.window.createOutputChannel("nnreuse trace", { log: true });
  const status = new Status();
  const restart = (): Promise<void> => {
    queued ??= turn.then(() => {
      queued = undefined; // what is asked for from here on may be news to this start
      return start(context, { log, trace }, status);
    });
    turn = queued;
    return turn;
  };
  const fixAll = { kind: "source.fixAll.nnreuse", apply: "first" };
  const pages = new Pages();
  const commands = {
    restart,
    showOutput: () => log.show(),
    showStatus: () => showStatus(running),
    fixAll: () => vscode.commands.executeCommand("editor.action.sourceAction", fixAll),
    explainRule: (rule?: string) => pages.explain(running, rule),
    traceModel: () => traceModel(pages, running),
    showCalls: (...place: CallsPlace) => running && showCalls(running, ...place),
  };
  context.subscriptions.push(
    ...[log, trace, status],
    vscode.workspace.registerTextDocumentContentProvider(Pages.scheme, pages),
    ...Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(`nnreuse.${name}`, run)),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration("nnreuse.server") && restart()),
  );
  const changes = onInterpreterChange(() => running && sendSettings(running.client));
  await restart();
  context.subscriptions.push(await changes);
}

export async function deactivate(): Promise<void> {
  await turn;
  await stop();
}

async function stop(): Promise<void> {
  const client = running?.client;
  running = undefined;
  await client?.dispose().catch(() => {}); // one that has died cannot answer, and is gone anyway
}

/** Stops the server that runs and starts the first that can; says why where none can, or not the one that was meant. */
async function start(context: vscode.ExtensionContext, channels: Channels, status: Status): Promise<void> {
  await stop();
  status.set("loading~spin", "is starting");
  const failures: string[] = [];
  try {
    for await (const launch of launches(context)) {
      channels.log.info(`starting ${[launch.command, ...launch.args].join(" ")} (${launch.origin})`);
      try {
        running = { client: await connect(launch, channels, () => show(status)), launch };
        break;
      } catch (error) {
        failures.push(`the server of ${launch.origin} does not start: ${(error as Error).message}`);
        channels.log.error(failures.at(-1) ?? "");
      }
    }
    if (!running) {
      throw new Refusal(`nnreuse: ${failures.at(-1)}`, [TRY_AGAIN]);
    }
  } catch (error) {
    const { message, actions, details } =
      error instanceof Refusal ? error : new Refusal(`nnreuse: ${error}`, [TRY_AGAIN]);
    channels.log.error(message, details);
    status.set("error", "does not run", [message]);
    void tell(vscode.window.showErrorMessage, message, ...actions, SHOW_OUTPUT);
    return;
  }
  if (failures[0]) {
    const instead = `It uses ${running.launch.origin} instead.`;
    void tell(vscode.window.showWarningMessage, `nnreuse: ${failures[0]}. ${instead}`, SHOW_OUTPUT);
  }
  running.client.onDidChangeState(() => show(status));
  await show(status);
}

async function show(status: Status): Promise<void> {
  if (running?.client.state === State.Running) {
    status.set(vscode.workspace.isTrusted ? "check" : "shield", "is running", await reportOf(running));
  } else if (running?.client.state === State.Starting) {
    status.set("loading~spin", "is starting");
  } else if (running) {
    status.set("error", "has stopped");
  }
}
