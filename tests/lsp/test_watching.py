"""What is on disk comes and goes, folders too. What is told after any events is what a fresh server tells."""

import os
import pickle
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from talking import NET
from test_workspace_diagnostics import PULLS, Here, closing, events, opened, opening, workspace_report

from nnreuse.lsp.scan import Post, Task, scanned

_SEQUENCES = int(os.environ.get("NNREUSE_SEQUENCES", "150")) // 15
_GIVEN = os.environ.get("NNREUSE_SEED", "5000")
_SEED = random.randrange(10**9) if _GIVEN == "random" else int(_GIVEN)
_BASE, _USE = NET.split("    def forward")
_HARMLESS = _BASE.replace("BatchNorm2d(64)", "ReLU()")
_FINE = "x = 1\n"


class Watched(Here):
    """A client that keeps what it is told, and tells of the disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.shown: dict[str, list] = {}

    def write(self, data: bytes) -> None:
        super().write(data)
        message = self.sent[-1]
        if message.get("method") == "textDocument/publishDiagnostics":
            self.shown[message["params"]["uri"]] = message["params"]["diagnostics"]

    def started(self) -> "Watched":
        self.begin()
        self.scanned("initialized", {})
        return self

    def told(self, *changes: tuple[int, Path]) -> None:
        """Tells of created (1), changed (2) and deleted (3) paths, and waits until all is looked at."""
        said = [{"uri": path.as_uri(), "type": kind} for kind, path in changes]
        self.scanned("workspace/didChangeWatchedFiles", {"changes": said})

    def problems(self) -> dict[str, int]:
        return {
            Path(uri.removeprefix("file://")).relative_to(self.folder).as_posix(): len(found)
            for uri, found in self.shown.items()
            if found
        }


def written(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def fresh(folder: Path) -> dict[str, int]:
    """What a server that is started now tells."""
    return Watched(folder).started().problems()


def test_a_folder_that_is_renamed_takes_its_findings_along(tmp_path: Path) -> None:
    written(tmp_path, little__net=NET, little__deep__net=NET, other=NET)
    here = Watched(tmp_path).started()
    (tmp_path / "little").rename(tmp_path / "small")
    here.told((3, tmp_path / "little"), (1, tmp_path / "small"))
    assert here.problems() == {"small/net.py": 2, "small/deep/net.py": 2, "other.py": 2}


def test_a_folder_that_is_deleted_leaves_nothing_even_while_a_scan_runs(tmp_path: Path) -> None:
    written(tmp_path, little__net=NET, other=NET)
    here = Watched(tmp_path).started()
    here.tell("workspace/didChangeConfiguration", {"settings": {"minSeverity": "hint"}})
    shutil.rmtree(tmp_path / "little")
    here.tell("workspace/didChangeWatchedFiles", events(here, 3, "little"))
    assert here.problems() == {"other.py": 2}
    here.wait()
    assert here.problems() == {"other.py": 2}


def test_a_client_that_pulls_hears_of_a_deleted_folder_before_a_scan_has_ended(tmp_path: Path) -> None:
    written(tmp_path, little__net=NET, other=NET)
    here = Watched(tmp_path)
    here.begin(**PULLS)
    here.scanned("initialized", {})
    before = workspace_report(here)
    here.tell("workspace/didChangeConfiguration", {"settings": {"minSeverity": "hint"}})
    shutil.rmtree(tmp_path / "little")
    sent = here.tell("workspace/didChangeWatchedFiles", events(here, 3, "little"))
    assert "workspace/diagnostic/refresh" in [message.get("method") for message in sent]
    assert here.request_quietly("nnreuse/status")["workspace"]["scanning"]
    assert workspace_report(here, *before.values())["net.py"]["items"] == []


def test_a_folder_that_comes_with_a_base_class_concerns_who_imports_it(tmp_path: Path) -> None:
    written(tmp_path, sub=f"from parts.net import Net\n\n\nclass Sub(Net):\n    def forward{_USE}", fine=_FINE)
    here = Watched(tmp_path).started()
    assert here.problems() == {}
    written(tmp_path, parts__net=_BASE)
    here.told((1, tmp_path / "parts"))
    assert here.problems() == {"sub.py": 2}
    shutil.rmtree(tmp_path / "parts")
    here.told((3, tmp_path / "parts"))
    assert here.problems() == {}


def test_an_open_file_reads_what_has_come_in_a_folder(tmp_path: Path) -> None:
    text = f"from parts.net import Net\n\n\nclass Sub(Net):\n    def forward{_USE}"
    written(tmp_path, sub=text)
    here = Watched(tmp_path).started()
    opened(here, "sub.py", text)
    written(tmp_path, parts__net=_BASE)
    here.told((1, tmp_path / "parts"))
    assert here.problems() == {"sub.py": 2}
    (tmp_path / "parts").rename(tmp_path / "bits")
    here.told((3, tmp_path / "parts"), (1, tmp_path / "bits"))
    assert here.problems() == {}


def test_what_imports_a_file_through_one_that_is_open_is_looked_at_when_it_comes(tmp_path: Path) -> None:
    middle = "from parts.net import Net\n"
    written(tmp_path, middle=middle, sub=f"from middle import Net\n\n\nclass Sub(Net):\n    def forward{_USE}")
    here = Watched(tmp_path).started()
    opened(here, "middle.py", middle)
    written(tmp_path, parts__net=_BASE)
    here.told((1, tmp_path / "parts"))
    assert here.problems() == {"sub.py": 2}


def test_a_new_file_that_nobody_imports_is_looked_at_alone(tmp_path: Path) -> None:
    written(tmp_path, net=NET, fine=_FINE)
    here = Watched(tmp_path).started()
    written(tmp_path, new=NET)
    here.tell("workspace/didChangeWatchedFiles", events(here, 1, "new.py"))
    while not (state := here.request_quietly("nnreuse/status")["workspace"])["files"]:
        here.posted.get(timeout=60)()
    assert (state["scanning"], state["files"]) == (True, 1)
    here.wait()
    assert here.problems() == {"net.py": 2, "new.py": 2}


@pytest.mark.parametrize("name", ["notes.txt", "runs", ".git/index.lock"])
def test_what_is_no_code_has_nothing_looked_at(tmp_path: Path, name: str) -> None:
    written(tmp_path, net=NET)
    here = Watched(tmp_path).started()
    (tmp_path / ".git").mkdir()
    (tmp_path / name).touch()
    here.tell("workspace/didChangeWatchedFiles", events(here, 1, name))
    (tmp_path / name).unlink()
    here.tell("workspace/didChangeWatchedFiles", events(here, 3, name))
    assert here.request_quietly("nnreuse/status")["workspace"]["scanning"] is False


@pytest.mark.parametrize("switch", ["codeLens", "inlayHints", "hover"])
def test_switching_what_is_shown_besides_has_nothing_looked_at(tmp_path: Path, switch: str) -> None:
    written(tmp_path, net=NET)
    here = Watched(tmp_path).started()
    here.tell("workspace/didChangeConfiguration", {"settings": {switch: True}})
    here.tell("workspace/didChangeConfiguration", {"settings": {switch: False}})
    assert here.request_quietly("nnreuse/status")["workspace"]["scanning"] is False


def test_settings_in_a_folder_that_comes_hold(tmp_path: Path) -> None:
    written(tmp_path, net=NET)
    here = Watched(tmp_path).started()
    written(tmp_path, quiet__net=NET)
    (tmp_path / "quiet" / "nnreuse.toml").write_text('ignore = ["shared-batch-norm"]\n')
    here.told((1, tmp_path / "quiet"))
    assert here.problems() == {"net.py": 2}


def test_folders_are_watched_too(tmp_path: Path) -> None:
    here = Here(tmp_path)
    here.begin(workspace={"didChangeWatchedFiles": {"dynamicRegistration": True}})
    (registered,) = here.tell("initialized", {})
    watchers = registered["params"]["registrations"][0]["registerOptions"]["watchers"]
    assert {"globPattern": "**/*", "kind": 5} in watchers


class Inside:
    """A scan as `Scan` is one, without a process of its own: file by file, between two messages."""

    def __init__(self, task: Task, post: Post, deliver: Callable) -> None:
        self.whole = not task.files
        self.cancelled = self.died = False
        self._post, self._deliver = post, deliver
        self._messages = scanned(pickle.loads(pickle.dumps(task)))
        post(self._step)

    def cancel(self) -> None:
        self.cancelled = True

    def _step(self) -> None:
        if not self.cancelled:
            message = next(self._messages, None)
            if message is not None:
                self._post(self._step)
            self._deliver(self, message)


class Branches:
    """A checkout whose branches have other folders and other texts, and the events that three watchers make of a switch."""

    def __init__(self, folder: Path, pick: random.Random) -> None:
        self.folder = folder
        self.pick = pick
        self.folders = ["models", "layers", "little", "models/deep"]
        for name in self.folders:
            for number in range(3):
                self.write(folder / name / f"m{number}.py")
        written(folder, base=_BASE, layers__base=_HARMLESS)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        named = ("base", "layers.base", "models.m0", "little.m1", "layers")
        module = self.pick.choice([one for one in named if not one.endswith(path.stem)])  # not itself
        sub = f"from {module} import Net\n\n\nclass Sub(Net):\n    def forward{_USE}"
        path.write_text(
            self.pick.choice((NET, NET, sub, sub, _BASE, _HARMLESS, _FINE, f"from {module} import *\n", "(\n"))
        )

    def step(self) -> list[tuple[int, Path]]:
        """One change on disk: each path with what has become of it, parents first."""
        present = [path for path in sorted(self.folder.rglob("*")) if path.is_dir()] or [self.folder]
        files = sorted(self.folder.rglob("*.py"))
        at = self.pick.choice(present)
        match self.pick.choice(("rename", "rename", "delete", "add", "change", "change", "file", "gone", "init")):
            case "rename" if at != self.folder:
                before = sorted(at.rglob("*"))
                new = at.parent / self.pick.choice(("parts", "layers", "little", "bits"))
                if new.exists():
                    return []
                at.rename(new)
                moved = [(1, new / path.relative_to(at)) for path in before]
                return [(3, at), *((3, path) for path in before), (1, new), *moved]
            case "delete" if len(present) > 1 and at != self.folder:
                before = sorted(at.rglob("*"))
                shutil.rmtree(at)
                return [(3, at), *((3, path) for path in before)]
            case "add":
                new = at / self.pick.choice(("extra", "deep", "layers"))
                if new.exists():
                    return []
                self.write(new / "m0.py")
                self.write(new / "base.py")
                return [(1, new), (1, new / "m0.py"), (1, new / "base.py")]
            case "change" if files:
                chosen = self.pick.sample(files, min(3, len(files)))
                for path in chosen:
                    self.write(path)
                return [(2, path) for path in chosen]
            case "gone" if files:
                path = self.pick.choice(files)
                path.unlink()
                return [(3, path)]
            case "init" if not (at / "__init__.py").exists():
                (at / "__init__.py").write_text(self.pick.choice(("", "from base import Net\n", _BASE)))
                return [(1, at / "__init__.py")]
            case _:
                path = at / f"m{self.pick.randrange(9)}.py"
                known = path.exists()
                self.write(path)
                return [(2 if known else 1, path)]

    def said(self, happened: list[tuple[int, Path]], watcher: str) -> Iterator[list[tuple[int, Path]]]:
        """The events of what has happened, as a watcher tells of them, in the messages that they come in."""
        if watcher == "watchman":  # every file and folder, in any order; what was there at both ends is changed
            kinds = {path: kind for kind, path in happened}
            shuffled = [(2 if path.exists() and kind == 3 else kind, path) for path, kind in kinds.items()]
            self.pick.shuffle(shuffled)
            at = self.pick.randrange(len(shuffled) + 1)
            yield from (part for part in (shuffled[:at], shuffled[at:]) if part)
            return
        tops = [(kind, path) for kind, path in happened if not any((kind, one) in happened for one in path.parents)]
        if watcher == "neovim":  # a message for each event, of folders alone where they are what moves
            yield from ([one] for one in tops)
        else:  # VS Code: the same together; a folder that is gone and there again is none of the events
            yield [(kind, path) for kind, path in tops if kind != 3 or not path.exists()]


@pytest.mark.parametrize("watcher", ["vscode", "neovim", "watchman"])
def test_after_any_change_of_folders_what_is_told_is_what_a_fresh_server_tells(
    tmp_path: Path, watcher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnreuse.lsp.diagnostics.Scan", Inside)
    monkeypatch.setattr(
        "nnreuse.workspace.project._QUESTIONS", 0
    )  # jedi is told a name, not by which file it is imported
    for seed in range(_SEED, _SEED + min(8, max(2, _SEQUENCES // 3))):
        folder = tmp_path / str(seed)
        branches = Branches(folder, random.Random(seed))
        here = Watched(folder).started()
        history: list[object] = []
        for _ in range(4):
            happened = [one for _ in range(branches.pick.randint(1, 4)) for one in branches.step()]
            for message in branches.said(happened, watcher):
                said = [{"uri": path.as_uri(), "type": kind} for kind, path in message]
                history.append([(kind, path.relative_to(folder).as_posix()) for kind, path in message])
                here.tell("workspace/didChangeWatchedFiles", {"changes": said})
            here.wait()
            assert here.problems() == fresh(folder), (seed, history)


def test_a_branch_switch_under_an_open_workspace_is_told_of_within_seconds(tmp_path: Path) -> None:
    """Two folders are renamed, one is deleted, 40 files change."""
    pick = random.Random(1)
    for folder in ("one", "two", "three", "four", "five"):
        for number in range(20):
            text = pick.choice((NET, _FINE, f"from base import Net\n\n\nclass Sub(Net):\n    def forward{_USE}"))
            written(tmp_path, **{f"{folder}__m{number}": text})
    written(tmp_path, base=_BASE)
    here = Watched(tmp_path).started()
    opened(here, "four/m0.py", (tmp_path / "four" / "m0.py").read_text())
    before = here.problems()
    for old, new in (("one", "eins"), ("two", "zwei")):
        (tmp_path / old).rename(tmp_path / new)
    shutil.rmtree(tmp_path / "three")
    changed = [tmp_path / folder / f"m{number}.py" for folder in ("four", "five") for number in range(20)]
    for path in changed:
        path.write_text(pick.choice((NET, _FINE)))
    came, went = ((kind, [tmp_path / name for name in names]) for kind, names in _SWITCH.items())
    told = [(kind, path) for kind, paths in (came, went) for path in paths]
    began = time.perf_counter()
    here.told(*told, *((2, path) for path in changed))
    took = time.perf_counter() - began
    began = time.perf_counter()
    expected = fresh(tmp_path)
    fresh_took = time.perf_counter() - began
    expected.pop("four/m0.py", None)  # its buffer holds
    now = {name: count for name, count in here.problems().items() if name != "four/m0.py"}
    assert (now, now != before) == (expected, True)
    assert took < max(3.0, 2 * fresh_took), (took, fresh_took)  # other work on the machine is not the server's


_SWITCH = {1: ["eins", "zwei"], 3: ["one", "two", "three"]}


class Pulling:
    """A client that pulls as VS Code does, and keeps what it shows."""

    def __init__(self, here: Here) -> None:
        self.here = here
        self.ids: dict[str, str] = {}
        self.shown: dict[str, list] = {}
        self.open: set[str] = set()

    def pulls(self, uri: str) -> None:
        self.open.add(uri)
        self.shown[uri] = self.here.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})["items"]

    def closes(self, uri: str) -> None:
        """It asks once more, does not listen, and forgets what it knew of the workspace's report."""
        self.here.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        self.open.discard(uri)
        self.ids.pop(uri, None)

    def pulls_workspace(self) -> dict[str, int]:
        previous = [{"uri": uri, "value": value} for uri, value in self.ids.items()]
        items = self.here.request("workspace/diagnostic", {"previousResultIds": previous})["items"]
        for item in items:
            self.ids[item["uri"]] = item["resultId"]
            if item["uri"] not in self.open:
                self.shown[item["uri"]] = item["items"]
        return {uri.rpartition("/")[2]: len(found) for uri, found in self.shown.items() if found}


def test_a_document_that_is_closed_unsaved_has_what_is_on_disk(tmp_path: Path) -> None:
    written(tmp_path, net=_FINE)
    here = Here(tmp_path)
    here.begin(**PULLS)
    here.scanned("initialized", {})
    client = Pulling(here)
    opened(here, "net.py", NET)
    client.pulls((tmp_path / "net.py").as_uri())
    here.tell("textDocument/didClose", closing(here, "net.py"))
    client.closes((tmp_path / "net.py").as_uri())
    here.wait()
    assert client.pulls_workspace() == {}
    assert here.request("workspace/diagnostic", {"previousResultIds": _known(client)}) == {"items": []}


@pytest.mark.parametrize("scans", [True, False])
def test_a_document_that_no_scan_comes_to_leaves_nothing_when_it_is_closed(tmp_path: Path, scans: bool) -> None:
    written(tmp_path, lib__site__net=NET)
    (tmp_path / "lib" / "pyvenv.cfg").touch()
    here = Here(tmp_path)
    here.begin(**PULLS)
    here.scanned("initialized", {})
    here.tell("workspace/didChangeConfiguration", {"settings": {"workspace": scans}})
    client = Pulling(here)
    here.tell("textDocument/didOpen", opening(here, "lib/site/net.py", NET))
    uri = (tmp_path / "lib" / "site" / "net.py").as_uri()
    client.pulls(uri)
    assert client.pulls_workspace() == {"net.py": 2}
    here.tell("textDocument/didClose", closing(here, "lib/site/net.py"))
    client.closes(uri)
    assert client.pulls_workspace() == {}
    here.tell("textDocument/didOpen", opening(here, "lib/site/net.py", NET))
    client.pulls(uri)
    assert client.pulls_workspace() == {"net.py": 2}


def _known(client: Pulling) -> list[dict[str, str]]:
    return [{"uri": uri, "value": value} for uri, value in client.ids.items()]
