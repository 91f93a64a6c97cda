// A real VS Code in a browser: code-server from the npm registry, installed without running anyone's install scripts.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

// The last line of versions that runs on Node 20; VS Code 1.100 inside.
const VERSION = "4.100.3";
const NPM_INSTALL = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];

/** Stand-ins for the native modules that would have to be compiled: password hashes are never asked for here, the
 *  watchdog polls, and logs are plain appends. */
const STAND_INS = {
  argon2: `module.exports = { hash: refuse, verify: refuse, needsRehash: () => false };
function refuse() { throw new Error("no passwords in tests"); }`,
  "@vscode/native-watchdog": `exports.exit = (code) => process.exit(code);
exports.start = (parent) => setInterval(() => {
  try { process.kill(parent, 0); } catch { process.exit(1); }
}, 2000).unref();`,
  "@vscode/spdlog": `const { appendFileSync, mkdirSync } = require("node:fs");
const { dirname } = require("node:path");
const LEVELS = ["trace", "debug", "info", "warning", "error", "critical"];
class Logger {
  constructor(kind, name, file) {
    this.file = file; this.level = 2; this.bare = false;
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, "");
  }
  write(level, text) {
    if (level < this.level) return;
    const stamp = new Date().toISOString().slice(0, -1).replace("T", " ");
    appendFileSync(this.file, this.bare ? text : stamp + " [" + LEVELS[level] + "] " + text + "\\n");
  }
  getLevel() { return this.level; } setLevel(level) { this.level = level; }
  clearFormatters() { this.bare = true; } setPattern() {} flush() {} drop() {}
}
for (const [level, name] of [...LEVELS.entries(), [3, "warn"]])
  Logger.prototype[name] = function (text) { this.write(level, text); };
const make = async (name, file) => new Logger("rotating", name, file);
exports.version = 1; // one by one, so that Node.js finds the names when the editor imports this as a module
exports.Logger = Logger;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.createRotatingLogger = make;
exports.createAsyncRotatingLogger = make;`,
};

/** Installs code-server into a folder unless it is there; returns the file to run. Throws where it cannot be had. */
export function install(folder) {
  const home = path.join(folder, "node_modules/code-server");
  const inner = path.join(home, "lib/vscode");
  const entry = path.join(home, "out/node/entry.js");
  const complete = path.join(folder, `complete-${VERSION}`);
  if (!existsSync(complete)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "package.json"), '{ "private": true }');
    npm(folder, `code-server@${VERSION}`);
    npm(inner, "--omit=dev", "--legacy-peer-deps");
    linkOnce("node_modules", path.join(inner, "node_modules.asar"));
    linkRipgrep(path.join(inner, "node_modules/@vscode/ripgrep/bin"));
    writeFileSync(complete, "");
  }
  for (const [name, code] of Object.entries(STAND_INS)) {
    for (const parent of [folder, home, inner]) {
      replace(path.join(parent, "node_modules", name), code);
    }
  }
  return entry;
}

/** Starts code-server on a free port of this machine, with a profile of its own; returns its address and how to stop it. */
export async function start({ entry, profile, vsix, settings, environment = {} }) {
  const [user, machine, extensions] = ["ud/User", "ud/Machine", "extensions"].map((name) => path.join(profile, name));
  for (const folder of [user, machine, extensions]) {
    mkdirSync(folder, { recursive: true });
  }
  changeSettings(profile, settings);
  const config = path.join(profile, "config.yaml");
  writeFileSync(config, "auth: none\n");
  const env = {
    ...withoutEditor(process.env),
    HOME: profile,
    XDG_CONFIG_HOME: profile,
    XDG_DATA_HOME: profile,
    ...OFFLINE,
  };
  const places = ["--user-data-dir", path.dirname(user), "--extensions-dir", extensions, "--config", config];
  execFileSync(process.execPath, [entry, ...places, "--install-extension", vsix], { env, stdio: "pipe" });
  const quiet = [
    "--disable-telemetry",
    "--disable-update-check",
    "--disable-getting-started-override",
    "--disable-proxy",
  ];
  const server = spawn(process.execPath, [entry, ...places, "--bind-addr", "127.0.0.1:0", ...quiet], {
    env: { ...env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own, so that its extension hosts end with it
  });
  const address = await new Promise((resolve, reject) => {
    let said = "";
    const read = (text) => {
      said += text;
      const found = /HTTP server listening on (http:\S+?)\/?\s/.exec(said);
      if (found) {
        resolve(found[1]);
      }
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.on("exit", () => reject(new Error(`code-server ended:\n${said}`)));
  });
  return { address, stop: () => process.kill(-server.pid) };
}

/** Writes the settings of a profile anew. */
export function changeSettings(profile, settings) {
  writeFileSync(path.join(profile, "ud/User/settings.json"), JSON.stringify({ ...QUIET, ...settings }, null, 2));
  // What names programs is read from the machine's settings: to the editor this window is a remote one.
  writeFileSync(path.join(profile, "ud/Machine/settings.json"), JSON.stringify(settings));
}

const QUIET = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "chat.commandCenter.enabled": false,
  "git.enabled": false,
  "files.autoSave": "off", // a browser's editor saves by itself otherwise
  "window.menuBarVisibility": "compact",
  "editor.minimap.enabled": false,
  "editor.cursorBlinking": "solid",
  "editor.fontFamily": "DejaVu Sans Mono, monospace",
};

// The gallery is asked at a closed port, so that nothing outside of this machine ever is.
const OFFLINE = {
  EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: "http://127.0.0.1:9", itemUrl: "http://127.0.0.1:9" }),
};

/** The environment without what an outer editor's terminal would add, which would make ours talk to that one. */
function withoutEditor(environment) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^VSCODE_|^(PORT|PASSWORD)$/.test(name)));
}

function npm(folder, ...args) {
  execFileSync("npm", [...NPM_INSTALL, ...args], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
}

function replace(folder, code) {
  if (existsSync(folder)) {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    writeFileSync(path.join(folder, "index.js"), code);
  }
}

function linkRipgrep(folder) {
  const found = ["/usr/bin/rg", "/usr/local/bin/rg"].find(existsSync);
  if (found) {
    mkdirSync(folder, { recursive: true });
    linkOnce(found, path.join(folder, "rg"));
  }
}

function linkOnce(target, link) {
  rmSync(link, { force: true, recursive: true });
  symlinkSync(target, link);
}
