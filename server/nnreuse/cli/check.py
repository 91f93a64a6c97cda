"""`nnreuse check`: its options, and what becomes of them."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, TypeVar, Unpack, get_args

import click

from nnreuse.cli.engine import MakeEngine, project, uncached_project
from nnreuse.cli.formats import FORMATS, json_statistics, statistics
from nnreuse.cli.report import Mode, Plan, report
from nnreuse.cli.targets import refuse_unknown_rules, targets
from nnreuse.config.settings import CheckpointCompat, Profile, Settings
from nnreuse.config.severity import Severity

_PROFILES: tuple[Profile, ...] = get_args(Profile)
_LEVELS = [level.value for level in Severity]
Decorated = TypeVar("Decorated", bound=Callable[..., object])


class _Selection(TypedDict):
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    profile: tuple[str, ...]
    severity: tuple[str, ...]
    min_severity: str | None
    checkpoint_compat: CheckpointCompat | None
    python: str | None


class _Options(_Selection):
    paths: tuple[str, ...]
    output_format: str
    fix: bool
    unsafe_fixes: bool
    diff: bool
    write_plan: str | None
    statistics: bool
    exit_zero: bool
    output_file: str | None
    quiet: bool
    color: str
    stdin_filename: str | None
    jobs: int | None
    no_cache: bool


def _several(function: Decorated, options: Iterable[Callable[[Decorated], Decorated]]) -> Decorated:
    for option in reversed(list(options)):
        function = option(function)
    return function


def _output_options(function: Decorated) -> Decorated:
    return _several(
        function,
        [
            click.option("--output-format", type=click.Choice(list(FORMATS)), default="full", show_default=True),
            click.option("--statistics", is_flag=True, help="Print how many findings each rule has, not the findings."),
            click.option("--exit-zero", is_flag=True, help="Exit 0 though there are findings."),
            click.option("--output-file", metavar="FILE", help="Write the findings there, not to standard output."),
            click.option("--quiet", "-q", is_flag=True, help="No summary, no progress, no notices."),
            click.option(
                "--color",
                type=click.Choice(["auto", "always", "never"]),
                default="auto",
                show_default=True,
                help="Colours: on a terminal, unless NO_COLOR is set.",
            ),
        ],
    )


def _fix_options(function: Decorated) -> Decorated:
    return _several(
        function,
        [
            click.option("--fix", is_flag=True, help="Apply the fixes that keep behaviour."),
            click.option(
                "--unsafe-fixes", is_flag=True, help="Apply fixes that change what trains, too (implies --fix)."
            ),
            click.option("--diff", is_flag=True, help="Print what the fixes would change; write nothing."),
            click.option(
                "--write-plan", metavar="FILE", help="Write what the fixes mean for checkpoints, for `migrate`."
            ),
            click.option(
                "--checkpoint-compat", type=click.Choice(["none", "hook"]), help="How fixes keep old checkpoints."
            ),
        ],
    )


def _selection_options(function: Decorated) -> Decorated:
    return _several(
        function,
        [
            click.option(
                "--select", multiple=True, metavar="RULE,…", help="Only these rules, whatever the settings say."
            ),
            click.option("--ignore", multiple=True, metavar="RULE,…", help="Not these rules."),
            click.option(
                "--profile", multiple=True, metavar="PROFILE,…", help=f"Also the rules for {', '.join(_PROFILES)}."
            ),
            click.option(
                "--severity", multiple=True, metavar="RULE=LEVEL", help="Show a rule's findings as that severity."
            ),
            click.option(
                "--min-severity", type=click.Choice(_LEVELS), help="Leave out what is below.  [default: information]"
            ),
        ],
    )


def _run_options(function: Decorated) -> Decorated:
    return _several(
        function,
        [
            click.option("--stdin-filename", metavar="FILE", help="The name of what `-` reads."),
            click.option(
                "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: as many as pay off]"
            ),
            click.option(
                "--no-cache",
                is_flag=True,
                help="Use the shipped catalog of torch, whatever `catalog --refresh` has kept.",
            ),
            click.option("--python", metavar="INTERPRETER", help="The Python whose packages the code imports."),
        ],
    )


@click.command
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@_output_options
@_fix_options
@_selection_options
@_run_options
@click.pass_context
def check(context: click.Context, **options: Unpack[_Options]) -> None:
    """Find modules that are reused by mistake, and repair them. PATH is a file, a notebook, a folder, or `-`."""
    context.color = _colour(options["color"])
    make: MakeEngine = context.obj or (uncached_project if options["no_cache"] else project)
    files, problems = targets(options["paths"], options["stdin_filename"], _change(options))
    code = report(_plan(options), files, problems, make, options["jobs"])
    context.exit(0 if code == 1 and options["exit_zero"] else code)


def _colour(wish: str) -> bool | None:
    """Whether texts are coloured, as click asks for it: None is on a terminal alone. NO_COLOR counts where it is not empty."""
    if wish == "auto":
        return False if os.environ.get("NO_COLOR") else None
    return wish == "always"


def _plan(options: _Options) -> Plan:
    output = options["output_format"]
    if options["statistics"]:
        show = json_statistics if output.startswith("json") else statistics
    else:
        show = FORMATS[output]
    repairs = output != "concise" and not options["statistics"]
    allowed = {"safe", "unsafe"} if options["unsafe_fixes"] else {"safe"}
    fixing = options["fix"] or options["unsafe_fixes"]
    mode = Mode.DIFF if options["diff"] else Mode.WRITE if fixing else Mode.SHOW
    write_plan = options["write_plan"]
    if write_plan and mode is Mode.SHOW:
        raise click.UsageError("--write-plan tells of fixes: give --unsafe-fixes too, or --diff --unsafe-fixes")
    output_file = options["output_file"]
    return Plan(
        mode,
        show,
        repairs,
        frozenset(allowed),
        Path(write_plan) if write_plan else None,
        Path(output_file) if output_file else None,
        options["quiet"],
    )


def _change(options: _Selection) -> Callable[[Settings], Settings]:
    """What the options do to the settings of a file: they add to `ignore` and `severity`, and replace the others."""
    severities = [_severity(pair) for pair in _names(options["severity"])]
    select, ignore = _names(options["select"]), _names(options["ignore"])
    named = Settings(select=frozenset(select), ignore=frozenset(ignore), severities=frozenset(severities))
    refuse_unknown_rules(named, "")
    profiles = frozenset(map(_profile, _names(options["profile"])))

    def change(settings: Settings) -> Settings:
        level, compat, python = options["min_severity"], options["checkpoint_compat"], options["python"]
        return replace(
            settings,
            select=frozenset(select) if select else settings.select,
            ignore=(settings.ignore - frozenset(select)) | frozenset(ignore),
            profiles=settings.profiles | profiles,
            severities=frozenset({**dict(settings.severities), **dict(severities)}.items()),
            min_severity=Severity(level) if level else settings.min_severity,
            checkpoint_compat=compat or settings.checkpoint_compat,
            python=Path(python) if python else settings.python,
            python_may_run=bool(python),
        )

    return change


def _names(values: Iterable[str]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _profile(name: str) -> Profile:
    for profile in _PROFILES:
        if profile == name:
            return profile
    raise click.BadParameter(f"{name!r} is none of {', '.join(_PROFILES)}", param_hint="--profile")


def _severity(pair: str) -> tuple[str, Severity]:
    rule, _, level = pair.partition("=")
    if level not in _LEVELS:
        raise click.UsageError(f"--severity {pair}: write RULE=LEVEL, LEVEL one of {', '.join(_LEVELS)}")
    return rule, Severity(level)
