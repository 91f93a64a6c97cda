// A stand-in for the module `vscode`, which exists inside the editor alone. What a test does not set answers to
// everything and does nothing.

const Module = require("node:module");

/** A value that can be called, constructed, extended and read from, without end. */
function anything(name) {
  const known = new Map();
  return new Proxy(class {}, {
    get(target, key) {
      if (key in target || typeof key === "symbol") {
        return target[key];
      }
      if (!known.has(key)) {
        known.set(key, anything(`${name}.${key}`));
      }
      return known.get(key);
    },
  });
}

/** Makes `require(name)` answer with these modules until the returned function is called. */
exports.install = (modules) => {
  const load = Module._load;
  Module._load = (request, ...rest) => (request in modules ? modules[request] : load.call(Module, request, ...rest));
  return () => {
    Module._load = load;
  };
};

exports.anything = anything;
