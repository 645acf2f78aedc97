"""Params of user rules at a merchant: {"rule": {"param": value}} as rows of key and value."""

from engine.payments.command_words import MERCHANT_PARAMS_MAX
from engine.rules.params import PARAM_MAX, PARAM_MIN, param_key
from engine.rules.vocabulary import IS_NAME
from gateways.payments.bodies import Fields
from gateways.payments.values import FORMAT, FormRefusal, whole


def param_rows(fields: Fields) -> list[int]:
    """Return key and value of each param that a merchant's line names, one behind the other."""
    given = fields.get("params", {})
    if type(given) is not dict:
        raise FormRefusal(FORMAT, "params")
    rows: list[int] = []
    for rule, params in given.items():
        if not IS_NAME.fullmatch(rule) or type(params) is not dict:
            raise FormRefusal(FORMAT, "params")
        for name, value in params.items():
            if not IS_NAME.fullmatch(name):
                raise FormRefusal(FORMAT, f"params.{rule}")
            rows += [param_key(rule, name), whole(value, PARAM_MIN, PARAM_MAX, f"params.{rule}.{name}")]
    if len(rows) > 2 * MERCHANT_PARAMS_MAX:
        raise FormRefusal(FORMAT, "params")
    return rows
