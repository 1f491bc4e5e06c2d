"""The command `key`, and the key in `show`."""

import json

from tests.support.pages import data_of

LOSS = ("samples.mlp:loss_fn", "--shape", "128,784", "--shape")


def test_the_key_is_printed_and_nothing_is_compiled(shell):
    finished = shell("key", *LOSS, "784,256")
    assert finished.returncode == 0
    assert finished.stdout.startswith("in memory\n  function  samples.mlp.loss_fn (samples/mlp.py:19)\n")
    assert "trace" in finished.stderr and "lower" in finished.stderr and "compile" not in finished.stderr
    assert "\x1b" not in finished.stdout


def test_a_key_is_a_document(shell):
    document = json.loads(shell("key", *LOSS, "784,256", "--json").stdout)
    assert document["command"] == "key" and document["artifacts"] == [] and document["against"] is None
    assert [event["phase"] for event in document["events"]] == ["trace", "lower"]
    memory, disk = document["key"]["memory"], document["key"]["disk"]
    assert memory["args"] == ["x: f32[128,784]", "w: f32[784,256]"] and memory["context"] == {}
    assert len(disk["components"]) == 8 and disk["key"].startswith("jit_loss_fn-")
    assert all(len(digest) == 64 for digest in disk["components"].values())


def test_a_key_is_held_against_a_saved_one(shell):
    saved = shell("key", *LOSS, "784,256", "--save", "key.json")
    assert saved.stdout and "wrote key.json" in saved.stderr
    same = shell("key", *LOSS, "784,256", "--against", "key.json", "--exit-code")
    assert same.returncode == 0 and same.stdout.startswith("against key.json: the same key\n")
    other = shell("key", *LOSS, "784,255", "--against", "key.json")
    assert other.returncode == 0 and "argument w  f32[784,256] → f32[784,255]" in other.stdout
    checked = shell("key", *LOSS, "784,255", "--against", "key.json", "--exit-code", "--json")
    document = json.loads(checked.stdout)
    assert checked.returncode == 1 and document["against"]["same"] is False
    assert "error: the key differs from the one in key.json" in checked.stderr


def test_a_saved_key_is_a_report(shell):
    shell("key", *LOSS, "784,256", "-o", "key.json")
    assert shell("key", *LOSS, "784,256", "-q", "--against", "key.json").stdout.startswith(
        "against key.json: the same key"
    )
    assert shell("view", "key.json").stdout == shell("key", *LOSS, "784,256", "-q").stdout
    shell("show", *LOSS, "784,256", "-o", "show.json")
    assert "the same key" in shell("key", *LOSS, "784,256", "-q", "--against", "show.json").stdout


def test_what_cannot_be_compared_is_told(shell):
    shell("jaxpr", *LOSS, "784,256", "-o", "jaxpr.json")
    no_key = shell("key", *LOSS, "784,256", "--against", "jaxpr.json")
    assert no_key.returncode == 3 and "jaxpr.json has no key" in no_key.stderr
    assert shell("key", *LOSS, "784,256", "--against", "none.json").returncode == 3
    assert shell("key", *LOSS, "784,256", "--exit-code").returncode == 2
    assert shell("key", *LOSS, "784,256", "--save", "no/key.json").returncode == 2
    shell("key", *LOSS, "784,256", "--save", "key.json")
    swept = shell("key", *LOSS, "784,N", "--dim", "N=1,2", "--against", "key.json")
    assert swept.returncode == 2 and "one size" in swept.stderr


def test_a_damaged_key_is_none_and_one_that_cannot_be_compared_is_not_the_same(shell):
    shell("key", *LOSS, "784,256", "-o", "key.json")
    saved = json.loads((shell.folder / "key.json").read_text())

    def against(document, *options):
        shell.write("other.json", json.dumps(document))
        return shell("key", *LOSS, "784,256", "-q", "--against", "other.json", "--exit-code", *options)

    for damage in ({"key": {}}, {"key": saved["key"] | {"memory": {}}}, {"events": [1]}, {"artifacts": None}):
        finished = against(saved | damage)
        assert finished.returncode == 3 and "other.json" in finished.stderr and not finished.stdout
    assert "has no key" in against(saved | {"key": None}).stderr
    assert against({"schema": 1}).returncode == 3 == shell("view", "other.json").returncode
    alone = against(saved | {"key": saved["key"] | {"disk": None}})
    assert alone.returncode == 1 and "cannot be compared" in alone.stdout and "cannot be" in alone.stderr
    edited = against(
        saved | {"key": saved["key"] | {"disk": saved["key"]["disk"] | {"key": "jit_loss_fn-0"}}}
    )
    assert edited.returncode == 1 and "none of its components do" in edited.stdout


def test_the_last_section_of_show_is_the_key(shell):
    shown = shell("show", *LOSS, "784,256")
    alone = shell("key", *LOSS, "784,256", "-q").stdout
    assert shown.stdout.endswith(f"== key  loss_fn(f32[128,784], f32[784,256]) ==\n{alone}\n")
    assert shown.stderr.count("trace") == shown.stderr.count("lower") == shown.stderr.count("compile ") == 1
    shell("show", *LOSS, "784,256", "-o", "show.html")
    front = data_of((shell.folder / "show.html").read_text())["exploration"]["panes"][0]
    assert front["name"] == "show" and "jit_loss_fn-" in front["text"]


def test_a_cache_that_is_off_leaves_the_key_in_memory(shell):
    finished = shell("key", *LOSS, "784,256", JAX_ENABLE_COMPILATION_CACHE="0")
    assert finished.returncode == 0 and "not available: the on-disk cache is off" in finished.stdout
