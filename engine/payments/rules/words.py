"""The words that a rule of payments imports from `pinion`, and the numbers that they stand for.

A word of a request is written in capitals: `"channel":"ecom"` is ECOM. Nothing here loads numpy, so a file of
rules is as quick to import as any other; vocabulary.py asserts that records have the same numbers.
"""

from engine.payments.countries import country_number

DECLINE, REVIEW, STEP_UP = 2, 3, 4
AUTHORISE, SALE = 1, 2
ECOM, POS, MOTO, RECURRING = 1, 2, 3, 4
CREDIT, DEBIT, PREPAID = 1, 2, 3
MATCH, MISMATCH, NONE, PARTIAL = 1, 2, 3, 4
NOT_GIVEN = -1


def country(capitals: str) -> int:
    """Return the number that fields have for a country; capitals : two, as in "DE"."""
    if len(capitals) != 2 or not (capitals.isascii() and capitals.isalpha() and capitals.isupper()):
        raise ValueError(f'country("{capitals}"): a country is two capitals, such as "DE"')
    return country_number(capitals)


def currency(letters: str) -> int:
    """Return the number that `p.currency` has for a currency; letters : of ISO 4217, as in "EUR"."""
    from engine.payments.currencies import CURRENCIES  # its table takes longer to load than all words

    if letters not in CURRENCIES:
        raise ValueError(f'currency("{letters}"): a currency is the letters of ISO 4217, such as "EUR"')
    return CURRENCIES[letters].number
