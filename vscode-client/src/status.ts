// The status bar item: whether the server runs, which one it is, and which torch it found.

import * as vscode from "vscode";

/** The item, shown while a Python file or a notebook is in front. */
export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("nnreuse.status", vscode.StatusBarAlignment.Right, 90);
  private readonly watch = vscode.window.onDidChangeActiveTextEditor(() => this.showWherePython());

  constructor() {
    this.item.name = "nnreuse";
    this.item.command = "nnreuse.showStatus";
    this.set("loading~spin", "is starting");
    this.showWherePython();
  }

  /** Shows a state: its icon, and the lines that explain it. */
  set(icon: string, state: string, lines: string[] = []): void {
    this.item.text = `$(${icon}) nnreuse`;
    this.item.tooltip = [`nnreuse ${state}`, ...lines].join("\n");
    this.item.backgroundColor = icon === "error" ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
  }

  dispose(): void {
    this.watch.dispose();
    this.item.dispose();
  }

  private showWherePython(): void {
    if (vscode.window.activeTextEditor?.document.languageId === "python") {
      this.item.show();
    } else {
      this.item.hide();
    }
  }
}
