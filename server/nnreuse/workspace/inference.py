# pyright: basic
"""Inference: asks jedi what a name is; JSON in, JSON out, a line each. Nothing that it reads is run or imported.

Runs apart, in our own interpreter: `python -I inference.py`. jedi takes whole seconds where it reaches torch, and the
memory that goes with it; neither is the server's then. The user's packages are read as sources: jedi's environment is our
own standard library, the search path is the user's, and extension modules below it are not loaded.

In: `search_path`, and either `name` (dotted) or `path`, `text`, `line` (from 1) and `column` (from 0).
Out: the dotted name of the one class that the name means, or that what it names is an instance of; null where there is no one.
"""

import contextlib
import json
import os
import sys
import sysconfig
import warnings

import jedi


class StandardLibrary(jedi.InterpreterEnvironment):
    """Our interpreter without its own packages: only the standard library's extension modules are loaded."""

    def get_sys_path(self):
        paths = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
        return list(dict.fromkeys([*paths, os.path.join(paths[1], "lib-dynload")]))


def main():
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
    # What a parameter is by the calls of its function: our own tracer knows better, and jedi would look for them everywhere.
    jedi.settings.dynamic_params = False
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def answer(question):
    try:
        first, *_ = search_path = question["search_path"]
        project = jedi.Project(first, added_sys_path=search_path, smart_sys_path=False)
        if "name" in question:
            return class_named(question["name"], project)
        script = jedi.Script(question["text"], path=question["path"], project=project, environment=StandardLibrary())
        return agreed(script.infer(question["line"], question["column"]), "instance")
    except Exception:  # jedi meets any code, and not all of it gracefully
        return None


def class_named(dotted, project):
    """Imported from its module, found in it, or made by the module's `__getattr__`."""
    module, _, name = dotted.rpartition(".")
    for text in (
        f"from {module} import {name} as found\nfound",
        f"import {module}\nfound = {dotted}\nfound",
        f"from {module} import __getattr__\nfound = __getattr__({name!r})\nfound",
    ):
        script = jedi.Script(text, project=project, environment=StandardLibrary())
        found = agreed(script.infer(text.count("\n") + 1, 2), "class")
        if found is not None:
            return found
    return None


def agreed(names, kind):
    """The one class that all possibilities have in common, None not counted."""
    kinds = {(name.type, name.full_name) for name in names} - {("instance", "builtins.NoneType")}
    if len(kinds) != 1:
        return None
    found, full_name = kinds.pop()
    return full_name if found == kind else None


if __name__ == "__main__":
    main()
