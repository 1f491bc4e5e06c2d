"""`--help`: every command and option under its heading, on any terminal, without what help does not need."""

import re
import sys

import pytest

COMMANDS = (
    "jaxpr", "stablehlo", "hlo", "llvm", "asm", "key", "show", "explore",
    "source", "diff", "cost", "fit", "collectives", "sharding", "donation", "constants", "passes",
    "compile-time",
    "profile",
    "trace-cache", "run", "summary", "export", "ls", "doctor", "view", "cache",
)  # fmt: skip
OF_CACHE = ("cache ls", "cache show", "cache verify", "cache prune", "cache why", "cache stats")
ANSI = re.compile(r"\033\[\d*m")


WITHOUT_ARGUMENTS = {"doctor", "cache", *OF_CACHE} - {"cache show", "cache why", "cache stats"}


@pytest.mark.parametrize("command", [*COMMANDS, *OF_CACHE])
def test_each_command_lists_its_options_and_no_line_is_too_long(shell, command):
    shown = shell(*command.split(), "--help", COLUMNS="80")
    assert shown.returncode == 0 and not shown.stderr
    assert re.search(r"^  -h, --help +Show this message and exit\.$", shown.stdout, re.MULTILINE)
    assert ("Arguments:" in shown.stdout) == (command not in WITHOUT_ARGUMENTS)
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "<str>" not in shown.stdout and "<bool>" not in shown.stdout


def test_the_commands_stand_in_one_column_with_all_that_is_said_of_them(shell):
    shown = shell("--help", COLUMNS="120").stdout
    rows = re.findall(r"^  ([a-z][\w-]+)( +)(\S.*)$", shown, re.MULTILINE)
    assert tuple(name for name, _, _ in rows) == COMMANDS
    assert len({len(name) + len(gap) for name, gap, _ in rows}) == 1
    assert "Nothing is lowered." in shown
    assert shown == shell("-h", COLUMNS="120").stdout == shell(COLUMNS="120").stdout


def test_colours_follow_the_terminal_and_the_environment(shell):
    plain = shell("hlo", "--help").stdout
    coloured = shell("hlo", "--help", FORCE_COLOR="1").stdout
    assert "\033[" not in plain and coloured != plain
    assert ANSI.sub("", coloured) == plain
    assert shell("hlo", "--help", FORCE_COLOR="1", NO_COLOR="1").stdout == plain


def test_a_narrow_terminal_still_shows_all(shell):
    shown = shell("view", "--help", COLUMNS="40").stdout
    assert "--no-pager" in shown and "-o, --output FILE" in shown


def test_help_imports_no_renderer(shell):
    program = (
        "import sys; from jitinspect.cli.main import run; run(['--help']);"
        "sys.exit(any(name in sys.modules for name in ('jax', 'rich', 'pygments', 'markdown_it')))"
    )
    assert shell.run([sys.executable, "-c", program]).returncode == 0
