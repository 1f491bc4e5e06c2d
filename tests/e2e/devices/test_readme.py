"""The commands of the README that need a compiler for a device that is not here."""

import pytest

from tests.e2e.test_readme import SESSIONS, check_shown

ABSENT = [(command, shown) for command, shown in SESSIONS if "--target" in command]


@pytest.mark.parametrize(("command", "shown"), ABSENT, ids=[command for command, _ in ABSENT])
def test_a_command_of_the_readme_does_what_it_shows(shell, needs, command, shown):
    needs("v5e")
    needs("h100")
    finished = shell.typed(command)
    assert finished.returncode == 0, finished.stdout
    check_shown(shown, finished.stdout)
