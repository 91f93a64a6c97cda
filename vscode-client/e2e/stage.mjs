// What a played session needs: the editor with our .vsix in a throw-away profile, a folder of files, a browser.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { changeSettings, install, start } from "./code_server.mjs";
import { Workbench } from "./workbench.mjs";

const root = path.resolve(import.meta.dirname, "../..");
export const shots = path.join(root, "build/screenshots");

/** Opens an editor on a folder with these files, or on the workspace file among them. `prepare` may add to the folder and to
 *  the editor's extensions before it starts. `close` ends all of it and leaves nothing behind. */
export async function open(options) {
  const { files, settings = {}, environment = {}, target = "linux-x64", trusted = true } = options;
  const profile = mkdtempSync(path.join(tmpdir(), "nnreuse-e2e-"));
  const folder = path.join(profile, "project");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  options.prepare?.({ folder, extensions: path.join(profile, "extensions") });
  const trust = trusted
    ? { "security.workspace.trust.enabled": false }
    : { "security.workspace.trust.startupPrompt": "never", "security.workspace.trust.banner": "never" };
  const editor = await start({
    entry: install(path.join(root, "build/code-server")),
    profile,
    vsix: vsix(target),
    settings: { ...trust, ...settings },
    environment,
  });
  const browserPath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
  const place = options.workspace ? { workspace: path.join(folder, options.workspace) } : { folder };
  const workbench = await Workbench.open({ address: editor.address, place, shots, browserPath });
  const close = async () => {
    await workbench.close();
    editor.stop();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  /** Changes the user's settings, as the settings editor does: by writing the file. */
  const set = (changed) => changeSettings(profile, { ...trust, ...settings, ...changed });
  /** The process of the server, which is the one that runs nnreuse from the profile's own environment. */
  const serverProcess = () => {
    const found = readdirSync("/proc").filter(
      (id) => /^\d+$/.test(id) && commandLine(id).includes("-m nnreuse server"),
    );
    return Number(found.find((id) => commandLine(id).includes(profile)));
  };
  return { workbench, folder, profile, close, set, serverProcess };
}

export function vsix(target) {
  return path.join(root, `build/nnreuse-0.1.0-${target}.vsix`);
}

function commandLine(id) {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // it has just ended
  }
}
