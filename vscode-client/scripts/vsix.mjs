// Packages the extension: the bundle, and the wheels of the server for one platform, so that it installs offline.
//   node vsix.mjs PYTHON TARGET     TARGET: a platform below, or `universal`, which carries our own wheel and pip only

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";

const PLATFORMS = {
  "linux-x64": ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"],
  "linux-arm64": ["manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"],
  "darwin-x64": ["macosx_10_13_x86_64", "macosx_10_12_x86_64"],
  "darwin-arm64": ["macosx_11_0_arm64"],
  "win32-x64": ["win_amd64"],
  universal: [],
};
// The exit code when wheels cannot be had, which is not this script's fault.
const NO_WHEELS = 75;
const HOME = "https://github.com/nnreuse/nnreuse";
const PYTHONS = ["3.11", "3.12", "3.13", "3.14"];

const [python, target] = process.argv.slice(2);
const platforms = PLATFORMS[target];
if (!python || !platforms) {
  throw new Error(`usage: vsix.mjs PYTHON ${Object.keys(PLATFORMS).join("|")}`);
}
const root = path.resolve(import.meta.dirname, "../..");
const wheels = path.join(root, "dist/wheels");
const { name, version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const vsix = path.join(root, "build", `${name}-${version}-${target}.vsix`);

const run = (program, ...args) => execFileSync(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
const pip = (command, ...args) => {
  try {
    run(python, "-m", "pip", command, "--quiet", "--disable-pip-version-check", ...args);
  } catch {
    console.error(`pip ${command} failed: see above`);
    process.exit(NO_WHEELS);
  }
};

rmSync(wheels, { recursive: true, force: true });
mkdirSync(wheels, { recursive: true });
mkdirSync(path.dirname(vsix), { recursive: true });
pip("wheel", "--no-deps", "--wheel-dir", wheels, root);
pip("download", "--no-deps", "--only-binary=:all:", "--dest", wheels, "pip");
for (const version of target === "universal" ? [] : PYTHONS) {
  const fitting = platforms.flatMap((platform) => ["--platform", platform]);
  pip(
    ...["download", "--only-binary=:all:", "--python-version", version, ...fitting],
    ...["--find-links", wheels, "--dest", wheels, "nnreuse"],
  );
}
const platform = target === "universal" ? [] : ["--target", target];
run(
  ...["npx", "--no-install", "vsce", "package", "--no-dependencies", ...platform, "--out", vsix],
  ...["--readme-path", "vscode-client/README.md"],
  ...["--baseContentUrl", `${HOME}/blob/main/vscode-client`, "--baseImagesUrl", `${HOME}/raw/main/vscode-client`],
);
const megabytes = (file) => (statSync(file).size / 1e6).toFixed(1);
const carried = readdirSync(wheels).map((file) => `  ${megabytes(path.join(wheels, file)).padStart(4)} MB  ${file}`);
console.log(
  `${path.relative(root, vsix)}: ${megabytes(vsix)} MB, with ${carried.length} wheels\n${carried.join("\n")}`,
);
