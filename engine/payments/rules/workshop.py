"""User rules of payments made ready by a process of its own (engine/rules/workshop.py)."""

from engine.payments.rules.vocabulary import VOCABULARY
from engine.rules.workshop import work

if __name__ == "__main__":
    work(VOCABULARY)
