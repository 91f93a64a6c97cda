// What the commands show: the server's report, a rule's page, the calls behind a lens.

import * as vscode from "vscode";
import type { LanguageClient, Location, Position } from "vscode-languageclient/node";
import { output } from "./environment";
import type { Launch } from "./launch";

export interface Running {
  client: LanguageClient;
  launch: Launch;
}

const TRACE = "nnreuse.trace";

/** The server's report on itself in lines; the shortest truth where the server has none to give. */
export async function reportOf(running?: Running): Promise<string[]> {
  if (!running) {
    return ["The server does not run; its output says why."];
  }
  const uri = vscode.window.activeTextEditor?.document.uri.toString();
  const report = running.client.sendRequest<{ lines?: string[] }>("nnreuse/status", { uri });
  const version = `Version: ${running.client.initializeResult?.serverInfo?.version ?? "unknown"}`;
  const lines = (await report.catch(() => undefined))?.lines ?? [];
  return [version, `Server: ${running.launch.origin}`, ...lines];
}

export async function showStatus(running?: Running): Promise<void> {
  const options = { modal: true, detail: (await reportOf(running)).join("\n") };
  const chosen = await vscode.window.showInformationMessage("nnreuse", options, "Show Output", "Restart Server");
  if (chosen) {
    await vscode.commands.executeCommand(chosen === "Show Output" ? "nnreuse.showOutput" : "nnreuse.restart");
  }
}

/** What is shown and not to be edited or saved: rules' pages, as the command line of the server prints them, and traces. */
export class Pages implements vscode.TextDocumentContentProvider {
  static readonly scheme = "nnreuse";
  private pages = new Map<string, string>();
  private traces = 0;

  provideTextDocumentContent(uri: vscode.Uri): string | undefined {
    return this.pages.get(uri.path);
  }

  /** Opens a trace beside what is edited; its first word says of what it is. */
  async show(text: string): Promise<void> {
    this.traces += 1;
    const path = `Trace ${this.traces} of ${text.split(" ")[0]}`;
    const page = vscode.Uri.from({ scheme: Pages.scheme, path });
    this.pages.set(page.path, text);
    const document = await vscode.workspace.openTextDocument(page);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true });
  }

  /** Shows the page of a rule: the one asked for, that of the finding under the cursor, or one picked from all. */
  async explain(running?: Running, asked?: string): Promise<void> {
    if (!running) {
      return showStatus(running);
    }
    const { command, args } = running.launch;
    const pages = (await output(command, [...args, "rule"])).split(/^(?=# )/m);
    const names = pages.map((page) => page.slice(2, page.indexOf("\n")).trim());
    for (const [number, page] of pages.entries()) {
      this.pages.set(`${names[number]}.md`, page);
    }
    const rule =
      asked ?? ruleAtCursor() ?? (await vscode.window.showQuickPick(names, { title: "Explain which rule?" }));
    if (rule) {
      const page = vscode.Uri.from({ scheme: Pages.scheme, path: `${rule}.md` });
      await vscode.commands.executeCommand("markdown.showPreview", page);
    }
  }
}

function ruleAtCursor(): string | undefined {
  const { document, selection } = vscode.window.activeTextEditor ?? {};
  const found = document ? vscode.languages.getDiagnostics(document.uri) : [];
  const here = found.find(({ source, range }) => source === "nnreuse" && selection && range.contains(selection.active));
  return typeof here?.code === "object" ? String(here.code.value) : here?.code?.toString();
}

let lastOptions = "";

/** Has the server call the class at the cursor once in torch, on inputs that it asks for, and opens what it saw beside. */
export async function traceModel(pages: Pages, running?: Running): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const offered = running?.client.initializeResult?.capabilities.executeCommandProvider?.commands ?? [];
  if (!running || !editor || !offered.includes(TRACE)) {
    void vscode.window.showInformationMessage("This nnreuse server does not offer to trace models with torch.");
    return;
  }
  const options = await vscode.window.showInputBox({
    title: "Trace This Model with torch",
    prompt: "Shapes of forward's inputs; --arg for the constructor's, --train. This runs the model's code.",
    placeHolder: "2x3x224x224 2x16:int64 mask=2x16:bool --arg width=64",
    value: lastOptions,
  });
  if (options === undefined) {
    return;
  }
  lastOptions = options;
  await editor.document.save();
  const { asUri, asPosition } = running.client.code2ProtocolConverter;
  const call = {
    command: TRACE,
    arguments: [asUri(editor.document.uri), asPosition(editor.selection.active), options],
  };
  const wait = {
    location: vscode.ProgressLocation.Notification,
    title: "nnreuse: tracing with torch",
    cancellable: true,
  };
  try {
    const { text } = await vscode.window.withProgress(wait, (_, token) =>
      running.client.sendRequest<{ text: string }>("workspace/executeCommand", call, token),
    );
    await pages.show(text);
  } catch (error) {
    void vscode.window.showErrorMessage(`nnreuse: ${(error as Error).message}`);
  }
}

export type CallsPlace = [uri: string, position: Position, calls: Location[]];

/** Opens the calls behind a lens in a peek view: what the server names, as the editor's own types. */
export async function showCalls({ client }: Running, ...[uri, position, calls]: CallsPlace): Promise<void> {
  const convert = client.protocol2CodeConverter;
  const where = [convert.asUri(uri), convert.asPosition(position)];
  const places = calls.map((call) => convert.asLocation(call));
  await vscode.commands.executeCommand("editor.action.showReferences", ...where, places);
}
