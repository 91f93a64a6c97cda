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
  const { client, launch } = running;
  const uri = vscode.window.activeTextEditor?.document.uri.toString();
  const report = await client.sendRequest<object>("nnreuse/status", { uri }).catch(() => ({}));
  const version = client.initializeResult?.serverInfo?.version ?? "unknown";
  const lines = Object.entries({ version, server: launch.origin, torch: "not found", ...dropNulls(report) });
  const trust = vscode.workspace.isTrusted ? [] : ["This folder is not trusted: nothing in it is executed."];
  return [...trust, ...lines.map(([key, value]) => `${key}: ${inWords(value)}`)];
}

function dropNulls(report: object): object {
  return Object.fromEntries(Object.entries(report).filter(([, value]) => value !== null));
}

function inWords(value: unknown): string {
  if (value === null || typeof value !== "object") {
    return String(value);
  }
  const parts = Object.entries(value).map(([key, part]) =>
    Array.isArray(value) ? inWords(part) : `${key} ${inWords(part)}`,
  );
  return parts.join(", ") || "none";
}

export async function showStatus(running?: Running): Promise<void> {
  const detail = (await reportOf(running)).join("\n");
  const options = { modal: true, detail };
  const chosen = await vscode.window.showInformationMessage("nnreuse", options, "Show Output", "Restart Server");
  if (chosen) {
    await vscode.commands.executeCommand(chosen === "Show Output" ? "nnreuse.showOutput" : "nnreuse.restart");
  }
}

/** The rules' pages, as the command line of the server that runs prints them. */
export class RulePages implements vscode.TextDocumentContentProvider {
  static readonly scheme = "nnreuse-rule";
  private pages = new Map<string, string>();

  async load({ launch }: Running): Promise<string[]> {
    const pages = (await output(launch.command, [...launch.args, "rule"])).split(/^(?=# )/m);
    this.pages = new Map(pages.map((page) => [page.slice(2, page.indexOf("\n")).trim(), page]));
    return [...this.pages.keys()];
  }

  provideTextDocumentContent(uri: vscode.Uri): string | undefined {
    return this.pages.get(uri.path.replace(/\.md$/, ""));
  }
}

/** Shows the page of a rule: the one asked for, that of the finding under the cursor, or one picked from all. */
export async function explainRule(pages: RulePages, running?: Running, asked?: string): Promise<void> {
  if (!running) {
    return showStatus(running);
  }
  const names = await pages.load(running);
  const rule = asked ?? ruleAtCursor() ?? (await vscode.window.showQuickPick(names, { title: "Explain which rule?" }));
  if (rule) {
    const page = vscode.Uri.from({ scheme: RulePages.scheme, path: `${rule}.md` });
    await vscode.commands.executeCommand("markdown.showPreview", page);
  }
}

export async function traceModel(running?: Running): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const offered = running?.client.initializeResult?.capabilities.executeCommandProvider?.commands ?? [];
  if (!running || !editor || !offered.includes(TRACE)) {
    void vscode.window.showInformationMessage("This nnreuse server does not offer to trace models with torch.");
    return;
  }
  const { asUri, asPosition } = running.client.code2ProtocolConverter;
  const place = [asUri(editor.document.uri), asPosition(editor.selection.active)];
  await running.client.sendRequest("workspace/executeCommand", { command: TRACE, arguments: place });
}

export type CallsPlace = [uri: string, position: Position, calls: Location[]];

/** Opens the calls behind a lens in a peek view: what the server names, as the editor's own types. */
export async function showCalls({ client }: Running, ...[uri, position, calls]: CallsPlace): Promise<void> {
  const convert = client.protocol2CodeConverter;
  const places = calls.map((call) => convert.asLocation(call));
  const where = [convert.asUri(uri), convert.asPosition(position)];
  await vscode.commands.executeCommand("editor.action.showReferences", ...where, places);
}

function ruleAtCursor(): string | undefined {
  const editor = vscode.window.activeTextEditor;
  const found = editor && vscode.languages.getDiagnostics(editor.document.uri);
  const here = found?.find(
    ({ source, range }) => source === "nnreuse" && range.contains(editor?.selection.active ?? range.start),
  );
  const code = here?.code;
  return typeof code === "object" ? String(code.value) : code?.toString();
}
