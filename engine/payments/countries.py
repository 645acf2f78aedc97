"""Countries as records have them: their two capitals as one number, AA as 0 and ZZ as 675."""

FIRST = ord("A")
CAPITALS = 26
COUNTRIES_MAX = CAPITALS * CAPITALS


def country_number(capitals: str) -> int:
    """Return the number of a country; capitals : two of A to Z."""
    assert len(capitals) == 2
    number = (ord(capitals[0]) - FIRST) * CAPITALS + ord(capitals[1]) - FIRST
    assert 0 <= number < COUNTRIES_MAX
    return number


def country_capitals(number: int) -> str:
    """Return the two capitals of a country."""
    assert 0 <= number < COUNTRIES_MAX
    return chr(FIRST + number // CAPITALS) + chr(FIRST + number % CAPITALS)
