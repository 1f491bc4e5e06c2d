"""`--watch` with `--target`: the worker, which reads the user's files, begins anew for each save."""

from tests.e2e.devices.test_nothing_is_left import is_gone, processes, wait_until
from tests.support.saving import Saving

HELPER = "import jax.numpy as jnp\ndef act(x):\n    return jnp.{}(x)\n"
NET = "from helper import act\ndef f(x, w):\n    return act(x @ w)\n"


def test_when_it_is_killed_nothing_is_left_of_the_worker_that_waits(shell, tpu, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    shell.environ["TMPDIR"] = str(folder)
    with Saving(shell, "hlo", "samples.mlp:normalize", "-s", "8,4", "--target", "v5e") as session:
        session.begun()
        wait_until(lambda: len(processes(folder)) == 1)
        session.kill()
    wait_until(lambda: is_gone(folder))


def test_a_save_is_compiled_for_the_device(shell, tpu):
    shell.write("helper.py", HELPER.format("tanh"))
    shell.write("net.py", NET)
    with Saving(shell, "hlo", "net:f", "-s", "4,8", "-s", "8,2", "--target", "v5e") as session:
        first, told = session.begun()
        assert "tanh(" in first and "watching net.py and 1 more" in told and "compiled for v5e" in told
        session.save("helper.py", HELPER.format("sin"))
        assert "tanh -1" in session.until(["helper.py saved · hlo made again"], ["@@"])[0]
        session.save("helper.py", HELPER.format("sinus"))
        session.until(["helper.py saved · hlo failed", "AttributeError"])
        session.save("helper.py", HELPER.format("tanh"))
        assert "tanh +1" in session.until(["helper.py saved · hlo made again"], ["@@"])[0]
        assert session.interrupt() == 130
