#!/usr/bin/env bash
# The extension's tests: style, types, unit tests, then sessions played in a real VS Code with the packaged extension.
#   test.sh PYTHON
# What cannot be installed is skipped, and the last line says what was skipped and why; what is installed must pass.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$1

skip() {
  echo "SKIPPED: $1, since $2"
  exit 0
}

node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null ||
  skip "all tests of the VS Code extension" "there is no Node.js 20 or newer"
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  if ! said=$(npm ci --ignore-scripts --no-audit --no-fund 2>&1); then
    echo "$said"
    case $said in *EUSAGE*) exit 1 ;; esac # package-lock.json is not what package.json says: no matter of the network
    skip "all tests of the VS Code extension" "npm could not install its packages (see above)"
  fi
  touch node_modules/.package-lock.json
fi
npm run --silent test

[ "$(uname -sm)" = "Linux x86_64" ] ||
  skip "the sessions in a real VS Code" "they are written for Linux on x86-64"
command -v chromium >/dev/null ||
  skip "the sessions in a real VS Code" "there is no Chromium (Debian: apt-get install chromium)"
node --input-type=module -e 'import("./vscode-client/e2e/code_server.mjs").then((m) => m.install("build/code-server"))' ||
  skip "the sessions in a real VS Code" "npm could not install code-server"
for target in linux-x64 universal; do
  node vscode-client/scripts/vsix.mjs "$python" "$target" || {
    [ $? -eq 75 ] && skip "the sessions in a real VS Code" "the wheels to package could not be fetched (see above)"
    exit 1
  }
done
npm run --silent e2e || {
  echo "a session failed: all are played once more, since a busy machine can make an editor slower than the tests wait for"
  npm run --silent e2e
}
