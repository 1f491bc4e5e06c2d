"""All programs."""

from tests.sharded import by_hand, layouts, libraries, models, training

CASES = [*training.CASES, *models.CASES, *layouts.CASES, *by_hand.CASES, *libraries.CASES]
