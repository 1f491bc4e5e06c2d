"""Files as targets, compiled for devices that are not here: as the functions from which they came."""

import json

import pytest

FUNCTION = ("samples.mlp:loss_fn", "-s", "128,784", "-s", "784,256")
SPLIT = ("-a", "f32[128,784]@P('data','model')", "-a", "f32[784,256]@P('model')")
MESH = ("--mesh", "data=2,model=2", *SPLIT)


@pytest.fixture
def exported(shell, tpu):
    pytest.importorskip("flatbuffers")

    def export(*call, platform="tpu"):
        shown = shell("export", *call, "--platform", platform, "-o", "step.jaxexport", "-q")
        assert shown.returncode == 0, shown.stderr
        return "step.jaxexport"

    return export


def told(shell, *words):
    shown = shell(*words, "--json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def test_it_fits_as_the_function_does(shell, exported):
    file = exported(*FUNCTION)
    of_file, of_function = (told(shell, "fit", *target, "--target", "v5e") for target in ((file,), FUNCTION))
    assert of_file["fit"] == of_function["fit"] and of_file["fit"][0]["buffers"]


def test_over_a_slice_it_moves_what_the_function_moves(shell, exported):
    call = ("samples.mlp:loss_fn", *MESH)
    file = exported(*call)
    of_file, of_function = (
        told(shell, "collectives", *target, "--target", "v5e:2x2") for target in ((file,), call)
    )
    assert of_file["collectives"] == of_function["collectives"] != []
    assert of_file["meshes"] == of_function["meshes"]


def test_what_is_for_another_device_is_refused(shell, exported):
    file = exported(*FUNCTION, platform="cpu")
    shown = shell("hlo", file, "--target", "v5e")
    assert shown.returncode == 6 and "it was exported for cpu, not for tpu" in shown.stderr
    shown = shell("hlo", file, "--target", "v5e:2x2")
    assert shown.returncode == 2 and "is for one device, v5e:2x2 has 4" in shown.stderr
