"""The nearest of the earlier signatures, held against a plain search through all of them."""

import random

import pytest

from jitinspect.calls.explain import Form, History, Interner, Signature, Slot


def differences(now, earlier):
    return {slot for slot, value in now.items() if slot in earlier and earlier[slot] != value}


@pytest.mark.parametrize("seed", range(60))
def test_the_nearest_is_the_newest_with_the_fewest_differences(seed):
    draw = random.Random(seed)
    interner = Interner()
    history, told = History(interner), []
    slots = [Slot("shape", f"x{i}") for i in range(8)]
    forms = [Form(tuple(draw.sample(slots, draw.randint(1, 8)))) for _ in range(draw.randint(1, 3))]
    for index in range(draw.choice([5, 70, 200])):
        form = draw.choice(forms)
        now = {slot: draw.choice([0, 1, 2, index + 3]) for slot in form.slots}  # the last one is new
        signature = Signature(form, tuple((interner(now[slot]),) for slot in form.slots))
        nearest = history.nearest(signature)
        row = history.at(history.add(signature, index))
        if not told:
            assert nearest is None
        else:
            best = min(range(index), key=lambda i: (len(differences(now, told[i])), -i))
            assert nearest.index == best
            changed = set(history.changed(row, nearest))
            assert changed == differences(now, told[best])
        assert all(row.get(slot.kind, slot.where) == now.get(slot) for slot in slots)
        told.append(now)
