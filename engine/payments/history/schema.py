"""The tables of payments' history: numbered migrations, and the staging table of a session.

Amounts are in minor units, currencies ISO 4217 numbers, times T in ms since 1970, UTC. Names of numbers
(codes, states, ...) are those of engine.payments.codes and engine.payments.records.

    payments     every payment decided, declined ones too, as it stands now; payment is the seq of its PAY
    operations   what was done to payments, refused or not, what a processor said of them, and holds that
                 ended by themselves
    deposits     money that came to accounts, or went
    moments      every 1024th event: from a time to the numbers that lists are in order of

Of a person there is the account and the card's keyed hash, which a payment needs that comes back into the
state. Answers from memory, duplicates and what found no payment leave no row. Rows depend on the journal
alone, not on how it was cut into batches, so projecting it afresh gives the same rows.

T never goes back, so payments in order of their number are in order of time: lists by account, merchant or
code have an index each, and a time becomes a range of numbers by way of `moments`.
"""

MOMENT_EVERY = 1024

TABLES = """
CREATE TABLE payments (
    payment bigint NOT NULL, ts_ms bigint NOT NULL, account bigint NOT NULL, amount bigint NOT NULL,
    matched bigint NOT NULL,
    approved_amount bigint NOT NULL, captured bigint NOT NULL, refunded bigint NOT NULL, held bigint NOT NULL,
    updated_seq bigint NOT NULL,
    ruleset integer NOT NULL,
    currency smallint NOT NULL, exponent smallint NOT NULL, kind smallint NOT NULL, channel smallint NOT NULL,
    code smallint NOT NULL, rule smallint NOT NULL, field smallint NOT NULL, decision smallint NOT NULL,
    cohort smallint NOT NULL, state smallint NOT NULL,
    card bytea NOT NULL, request_id text, merchant text,
    PRIMARY KEY (payment)
) WITH (fillfactor = 80);
CREATE INDEX payments_by_account ON payments (account, payment);
CREATE INDEX payments_by_merchant ON payments (merchant, payment);
CREATE INDEX payments_by_code ON payments (code, payment);
COMMENT ON COLUMN payments.updated_seq IS 'the command that brought it to approved_amount .. state';
COMMENT ON COLUMN payments.matched IS 'rules that noted or declined, a bit each: 1 << rule';

CREATE TABLE operations (
    payment bigint NOT NULL, event_idx bigint NOT NULL, seq bigint NOT NULL, ts_ms bigint NOT NULL,
    amount bigint NOT NULL, captured bigint NOT NULL, refunded bigint NOT NULL, held bigint NOT NULL,
    kind smallint NOT NULL, code smallint NOT NULL, field smallint NOT NULL, state smallint NOT NULL,
    request_id text,
    PRIMARY KEY (payment, event_idx)
);
COMMENT ON COLUMN operations.kind IS 'the operation; 0: a hold or a review ended by itself';
COMMENT ON COLUMN operations.amount IS 'what was moved; captured .. state are right after it';

CREATE TABLE deposits (
    account bigint NOT NULL, seq bigint NOT NULL, ts_ms bigint NOT NULL, amount bigint NOT NULL,
    currency smallint NOT NULL, exponent smallint NOT NULL,
    PRIMARY KEY (account, seq)
);

CREATE TABLE moments (ts_ms bigint NOT NULL, seq bigint NOT NULL, PRIMARY KEY (ts_ms, seq));

CREATE FUNCTION money(amount bigint, exponent smallint) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT round(amount::numeric / 10::numeric ^ exponent, exponent)
$$;
CREATE FUNCTION moment(ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT to_timestamp(ms / 1000) + ms % 1000 * interval '1 millisecond'
$$;
CREATE VIEW payment_list AS
    SELECT payment, moment(ts_ms) AS decided_at, merchant, request_id, account, currency,
        money(amount, exponent) AS amount, money(approved_amount, exponent) AS approved_amount,
        money(captured, exponent) AS captured, money(refunded, exponent) AS refunded,
        money(held, exponent) AS held,
        (ARRAY['approve', 'decline', 'review', 'step_up'])[decision] AS decision, code, rule,
        (ARRAY['open', 'captured', 'voided', 'expired', 'declined', 'review', 'step_up'])[state] AS state
    FROM payments;
"""

USER_RULES = """
ALTER TABLE payments ADD COLUMN user_matched bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN payments.user_matched IS 'user rules that matched, a bit each: 1 << place in the set';
COMMENT ON COLUMN payments.rule IS 'from 64 on user rules, by their places in the set';
"""

PENDING = """
CREATE OR REPLACE VIEW payment_list AS
    SELECT payment, moment(ts_ms) AS decided_at, merchant, request_id, account, currency,
        money(amount, exponent) AS amount, money(approved_amount, exponent) AS approved_amount,
        money(captured, exponent) AS captured, money(refunded, exponent) AS refunded,
        money(held, exponent) AS held,
        (ARRAY['approve', 'decline', 'review', 'step_up'])[decision] AS decision, code, rule,
        (ARRAY['open', 'captured', 'voided', 'expired', 'declined', 'review', 'step_up', 'pending'])[state]
            AS state
    FROM payments;
COMMENT ON COLUMN operations.kind IS
    'the operation; 0: a hold or a review ended by itself; 35: a pending payment of this amount was settled';
"""
"""The view knows the state of payments that wait for a processor."""
MIGRATIONS = (TABLES, PENDING, USER_RULES)
"""Version N of the schema is the first N of them; one that was released is never changed."""

SESSION = (
    """CREATE TEMPORARY TABLE changed_payments (
        payment bigint, approved_amount bigint, captured bigint, refunded bigint, held bigint,
        updated_seq bigint, state smallint
    ) ON COMMIT DELETE ROWS""",
    """CREATE TEMPORARY TABLE settled_payments (payment bigint, code smallint, decision smallint)
    ON COMMIT DELETE ROWS""",
    # What is staged was never analysed: without this the planner reads all payments for every merge.
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
)

MERGE_PAYMENTS = """
UPDATE payments p SET approved_amount = c.approved_amount, captured = c.captured, refunded = c.refunded,
    held = c.held, updated_seq = c.updated_seq, state = c.state
FROM changed_payments c WHERE p.payment = c.payment
"""
MERGE_SETTLED = """
UPDATE payments p SET code = c.code, decision = c.decision
FROM settled_payments c WHERE p.payment = c.payment
"""
