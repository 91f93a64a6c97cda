// Stand-ins for interpreters: shell scripts that answer as a Python of some version, and make environments of such.

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** A program at a path; `body` is the shell script. Returns the path. */
export function program(file, body) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** An interpreter: its version, whether it has nnreuse, and whether pip works without and with the network. */
export function python(file, { version = "3 12", has = false, offline = true, online = true, log = "/dev/null" } = {}) {
  return program(
    file,
    `echo "$0 $*" >> ${log}
case "$*" in
  *version_info*) echo "${version}" ;;
  *"import nnreuse"*) ${has ? "exit 0" : "echo no module >&2; exit 1"} ;;
  *"-m venv"*) for last; do :; done; mkdir -p "$last/bin" && cp "$0" "$last/bin/python" ;;
  *--no-index*) ${offline ? "exit 0" : "echo no wheel fits >&2; exit 1"} ;;
  *install*) ${online ? "exit 0" : "echo no network >&2; exit 1"} ;;
esac`,
  );
}
