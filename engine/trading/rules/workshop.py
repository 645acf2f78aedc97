"""Rules of trading made ready by a process of its own (engine/rules/workshop.py)."""

from engine.rules.workshop import work
from engine.trading.rules.vocabulary import VOCABULARY

if __name__ == "__main__":
    work(VOCABULARY)
