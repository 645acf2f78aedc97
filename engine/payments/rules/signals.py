"""Rules about what others say of the request: card verification, fraud score, countries, authentication."""

from engine.payments import constants as k
from engine.payments.records import HAS_SCA
from engine.payments.rules.verdict import OFF, PASS, verdict
from ringbuf.kernel import inlined

CVV = verdict(k.CVV_MISMATCH, k.FIELD_CVV_RESULT)
SCORE = verdict(k.FRAUD_SCORE, k.FIELD_SCORE)
SCORE_REVIEW = verdict(k.TO_REVIEW, k.FIELD_SCORE)
GEO = verdict(k.TO_REVIEW, k.FIELD_IP_COUNTRY)
SCA = verdict(k.SCA_REQUIRED, k.FIELD_SCA)


@inlined
def cvv(payload, ctx):
    """Decline where the card's verification value did not match."""
    return CVV if payload.cvv_result == k.CVV_MISMATCHED else PASS


@inlined
def score_decline(payload, ctx):
    """Decline from a fraud score on; one that is not given is -1."""
    limit = ctx.limit.score_decline
    return SCORE if limit != OFF and payload.score >= limit else PASS


@inlined
def score_review(payload, ctx):
    """Review from a fraud score on."""
    limit = ctx.limit.score_review
    return SCORE_REVIEW if limit != OFF and payload.score >= limit else PASS


@inlined
def geo(payload, ctx):
    """Review a larger amount where card and address are of two countries."""
    are_given = payload.issuer_country >= 0 and payload.ip_country >= 0
    is_other = are_given and payload.issuer_country != payload.ip_country
    return GEO if is_other and ctx.geo_above != OFF and payload.amount > ctx.geo_above else PASS


@inlined
def sca(payload, ctx):
    """Step up a larger payment over the internet whose customer was not strongly authenticated."""
    is_bare = payload.channel == k.ECOM and not payload.options & HAS_SCA
    return SCA if is_bare and ctx.sca_above != OFF and payload.amount > ctx.sca_above else PASS
