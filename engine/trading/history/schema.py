"""The tables of trading's history: numbered migrations, and the staging tables of a session.

Quantities are those of the engine: px in ticks, qty in lots, money in minor units; the views of
version 2 write them as decimals for people. Names of numbers (kinds, reasons, ...) are those of
engine.trading.records. Times are eng_ts, ns since 1970.

    commands     every command in the total order, with its first report
    reports      the further reports of a command; `all_reports` is both
    orders       every order ever accepted, as it stands now; order_id is the seq of its NEW
    trades       both sides of every trade; event_idx numbers all events from 0
    fills        one row a side of a trade, with what the account had right after it
    deposits     the other changes of balances, by movements of money; of a transfer either side
    moments      every 1024th command: from a time to the numbers that lists are in order of
    latches      what was latched, warned of and lifted: limits of accounts, and kills
    equity       what accounts with limits of loss were worth, sampled (equity.py)
    balances, positions                what accounts have now
    instruments, accounts, currencies  who and what the numbers stand for

A fill's id is 2 * event_idx + 1 for the maker and 2 * event_idx for the taker, so one number
orders fills and pages through them. Rows depend on the journal alone, not on how it was cut
into batches, so projecting it afresh gives the same rows.

A B-tree costs as much as its row, so there are few: for what the API lists, and no more.
"""

MOMENT_EVERY = 1024

TABLES = """
CREATE TABLE commands (
    seq bigint NOT NULL, eng_ts bigint NOT NULL, event_idx bigint NOT NULL, req_seq bigint NOT NULL,
    account bigint NOT NULL, order_id bigint NOT NULL, client_order_id bigint NOT NULL,
    px bigint NOT NULL, qty bigint NOT NULL, cum_qty bigint NOT NULL, leaves_qty bigint NOT NULL,
    instrument integer NOT NULL, session integer NOT NULL,
    ring smallint NOT NULL, op smallint NOT NULL, kind smallint NOT NULL, status smallint NOT NULL,
    reason smallint NOT NULL, is_sell boolean NOT NULL,
    rev integer, prev_px bigint, prev_qty bigint, priority_kept boolean,
    record bytea
);
CREATE INDEX commands_by_seq ON commands USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);
COMMENT ON COLUMN commands.event_idx IS 'of its first event; of the next one where it has none';
COMMENT ON COLUMN commands.kind IS 'of its first report, 0 for none; account .. reason are that report''s';
COMMENT ON COLUMN commands.record IS 'the command itself, where the columns and its order do not tell it';

CREATE TABLE reports (
    order_id bigint NOT NULL, event_idx bigint NOT NULL, seq bigint NOT NULL, eng_ts bigint NOT NULL,
    account bigint NOT NULL, client_order_id bigint NOT NULL,
    px bigint NOT NULL, qty bigint NOT NULL, cum_qty bigint NOT NULL, leaves_qty bigint NOT NULL,
    instrument integer NOT NULL,
    op smallint NOT NULL, kind smallint NOT NULL, status smallint NOT NULL, reason smallint NOT NULL,
    is_sell boolean NOT NULL,
    contra_order_id bigint,
    PRIMARY KEY (order_id, event_idx)
);
COMMENT ON COLUMN reports.contra_order_id IS 'PREVENTED: the order it did not trade with';

CREATE TABLE orders (
    order_id bigint NOT NULL, account bigint NOT NULL, client_order_id bigint NOT NULL,
    px bigint NOT NULL, qty bigint NOT NULL, cum_qty bigint NOT NULL, leaves_qty bigint NOT NULL,
    notional bigint NOT NULL,
    entered_at bigint NOT NULL, updated_at bigint NOT NULL, updated_seq bigint NOT NULL,
    instrument integer NOT NULL, session integer NOT NULL, rev integer NOT NULL,
    ring smallint NOT NULL, order_type smallint NOT NULL, time_in_force smallint NOT NULL,
    stp_mode smallint NOT NULL, status smallint NOT NULL, reason smallint NOT NULL,
    is_sell boolean NOT NULL, is_post_only boolean NOT NULL,
    client_text bytea,
    PRIMARY KEY (order_id)
) WITH (fillfactor = 80);
CREATE INDEX orders_by_account ON orders (account, order_id);

CREATE TABLE trades (
    event_idx bigint NOT NULL, seq bigint NOT NULL, eng_ts bigint NOT NULL, md_seq bigint NOT NULL,
    px bigint NOT NULL, qty bigint NOT NULL,
    taker_order_id bigint NOT NULL, maker_order_id bigint NOT NULL,
    taker_account bigint NOT NULL, maker_account bigint NOT NULL,
    taker_fee bigint NOT NULL, maker_fee bigint NOT NULL,
    instrument integer NOT NULL, is_sell boolean NOT NULL,
    PRIMARY KEY (event_idx)
);
CREATE INDEX trades_by_instrument ON trades (instrument, event_idx);
COMMENT ON COLUMN trades.is_sell IS 'the aggressor sold';

CREATE TABLE fills (
    account bigint NOT NULL, fill_id bigint NOT NULL, seq bigint NOT NULL, eng_ts bigint NOT NULL,
    order_id bigint NOT NULL, px bigint NOT NULL, qty bigint NOT NULL,
    cum_qty bigint NOT NULL, leaves_qty bigint NOT NULL, notional bigint NOT NULL, fee bigint NOT NULL,
    balance bigint NOT NULL, position_qty bigint NOT NULL,
    position_cost bigint NOT NULL, position_realised bigint NOT NULL,
    instrument integer NOT NULL, is_sell boolean NOT NULL,
    PRIMARY KEY (account, fill_id)
);
COMMENT ON COLUMN fills.notional IS 'sum of px * qty over the fills of the order so far';
COMMENT ON COLUMN fills.balance IS 'of the quote currency, right after this fill; so position_...';

CREATE TABLE deposits (
    account bigint NOT NULL, event_idx bigint NOT NULL, seq bigint NOT NULL, eng_ts bigint NOT NULL,
    amount bigint NOT NULL, balance bigint NOT NULL, currency integer NOT NULL,
    PRIMARY KEY (account, event_idx, currency)
);

CREATE TABLE balances (
    account bigint NOT NULL, total bigint NOT NULL, seq bigint NOT NULL, currency integer NOT NULL,
    PRIMARY KEY (account, currency)
) WITH (fillfactor = 80);
CREATE TABLE positions (
    account bigint NOT NULL, qty bigint NOT NULL, cost bigint NOT NULL, realised bigint NOT NULL,
    seq bigint NOT NULL, instrument integer NOT NULL,
    PRIMARY KEY (account, instrument)
) WITH (fillfactor = 80);

CREATE TABLE currencies (
    currency integer PRIMARY KEY, code text NOT NULL, decimals integer NOT NULL
);
CREATE TABLE instruments (
    instrument integer PRIMARY KEY, symbol text NOT NULL, base integer NOT NULL, quote integer NOT NULL,
    tick_mantissa bigint NOT NULL, tick_decimals integer NOT NULL,
    lot_mantissa bigint NOT NULL, lot_decimals integer NOT NULL, scale bigint NOT NULL,
    max_px bigint NOT NULL, max_qty bigint NOT NULL, max_notional bigint NOT NULL,
    band_low bigint NOT NULL, band_high bigint NOT NULL, collar_bps bigint NOT NULL,
    maker_fee_ppm bigint NOT NULL, taker_fee_ppm bigint NOT NULL, phase integer NOT NULL
);
CREATE TABLE accounts (
    account bigint PRIMARY KEY, is_enabled boolean NOT NULL, is_unlimited boolean NOT NULL
);

CREATE TABLE moments (
    eng_ts bigint NOT NULL, seq bigint NOT NULL, event_idx bigint NOT NULL, PRIMARY KEY (eng_ts, seq)
);
"""

VIEWS = """
CREATE FUNCTION price(px bigint, i instruments) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT round(px::numeric * i.tick_mantissa / 10::numeric ^ i.tick_decimals, i.tick_decimals)
$$;
CREATE FUNCTION quantity(qty bigint, i instruments) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT round(qty::numeric * i.lot_mantissa / 10::numeric ^ i.lot_decimals, i.lot_decimals)
$$;
CREATE FUNCTION money(amount bigint, c currencies) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT round(amount::numeric / 10::numeric ^ c.decimals, c.decimals)
$$;
CREATE FUNCTION moment(ns bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT to_timestamp(ns / 1000000000) + ns % 1000000000 / 1000 * interval '1 microsecond'
$$;
CREATE VIEW order_list AS
    SELECT o.order_id, o.account, i.symbol, CASE WHEN o.is_sell THEN 'sell' ELSE 'buy' END AS side,
        price(o.px, i) AS price, quantity(o.qty, i) AS quantity, quantity(o.cum_qty, i) AS cum_quantity,
        quantity(o.leaves_qty, i) AS leaves_quantity,
        (ARRAY['open', 'filled', 'cancelled'])[o.status] AS status,
        moment(o.entered_at) AS entered_at, moment(o.updated_at) AS updated_at
    FROM orders o JOIN instruments i USING (instrument);
CREATE VIEW all_reports AS
    SELECT order_id, event_idx, seq, eng_ts, account, client_order_id, px, qty, cum_qty, leaves_qty,
        instrument, op, kind, status, reason, is_sell
    FROM commands WHERE kind <> 0
    UNION ALL
    SELECT order_id, event_idx, seq, eng_ts, account, client_order_id, px, qty, cum_qty, leaves_qty,
        instrument, op, kind, status, reason, is_sell
    FROM reports;
CREATE VIEW trade_list AS
    SELECT t.event_idx, t.seq, moment(t.eng_ts) AS traded_at, i.symbol, price(t.px, i) AS price,
        quantity(t.qty, i) AS quantity, CASE WHEN t.is_sell THEN 'sell' ELSE 'buy' END AS aggressor_side,
        t.taker_account, t.maker_account, t.taker_order_id, t.maker_order_id
    FROM trades t JOIN instruments i USING (instrument);
CREATE VIEW fill_list AS
    SELECT f.account, f.fill_id, f.seq, moment(f.eng_ts) AS filled_at, f.order_id, i.symbol,
        CASE WHEN f.is_sell THEN 'sell' ELSE 'buy' END AS side,
        CASE WHEN f.fill_id & 1 = 1 THEN 'maker' ELSE 'taker' END AS liquidity,
        price(f.px, i) AS price, quantity(f.qty, i) AS quantity, money(f.fee, c) AS fee, c.code AS currency
    FROM fills f JOIN instruments i USING (instrument) JOIN currencies c ON c.currency = i.quote;
CREATE VIEW balance_history AS
    SELECT f.account, c.code AS currency, f.seq, f.fill_id >> 1 AS event_idx, moment(f.eng_ts) AS changed_at,
        money(f.balance, c) AS balance
    FROM fills f JOIN instruments i USING (instrument) JOIN currencies c ON c.currency = i.quote
    UNION ALL
    SELECT d.account, c.code, d.seq, d.event_idx, moment(d.eng_ts), money(d.balance, c)
    FROM deposits d JOIN currencies c USING (currency);
CREATE VIEW position_history AS
    SELECT f.account, i.symbol, f.seq, f.fill_id >> 1 AS event_idx, moment(f.eng_ts) AS changed_at,
        quantity(f.position_qty, i) AS quantity, money(f.position_cost, c) AS cost,
        money(f.position_realised, c) AS realised_profit
    FROM fills f JOIN instruments i USING (instrument) JOIN currencies c ON c.currency = i.quote;
"""

QUIET_INDEX = """
ALTER INDEX commands_by_seq SET (autosummarize = off);
"""
"""An insert asks for a summary at the end of every range, faster than autovacuum gives one: each request
too many is a line of the server's log with the whole statement. Autovacuum sums up what was inserted
when it comes by itself; what is not summed up yet is read as a whole, so answers are the same."""

LATCHES = """
CREATE VIEW latch_list AS
    SELECT r.seq, moment(r.eng_ts) AS latched_at, nullif(r.account, 0) AS account, i.symbol,
        (ARRAY['none','warn','reduce_only','cancel_and_block'])[r.status + 1] AS level
    FROM all_reports r LEFT JOIN instruments i USING (instrument) WHERE r.kind = 9;
"""
"""Kills that were laid on and lifted; one of neither an account nor an instrument is of the venue."""

LATCHES_OF_LIMITS = """
CREATE OR REPLACE VIEW latch_list AS
    SELECT r.seq, moment(r.eng_ts) AS latched_at, nullif(r.account, 0) AS account, i.symbol,
        (ARRAY['none','warn','reduce_only','cancel_and_block'])[r.status + 1] AS level,
        CASE r.reason WHEN 209 THEN 'kill' WHEN 211 THEN 'max_daily_loss' WHEN 212 THEN 'max_drawdown'
            WHEN 213 THEN 'max_drawdown_bps' WHEN 218 THEN 'max_order_trade_ratio'
            WHEN 219 THEN 'max_fill_rate' END AS limit_name,
        CASE r.reason WHEN 209 THEN NULL WHEN 218 THEN r.cum_qty::numeric
            WHEN 219 THEN trim_scale(r.cum_qty * 0.000000001) ELSE money(r.cum_qty, c) END AS measured,
        CASE r.reason WHEN 209 THEN NULL WHEN 218 THEN r.leaves_qty::numeric
            WHEN 219 THEN trim_scale(r.leaves_qty * 0.000000001) ELSE money(r.leaves_qty, c) END AS allowed,
        CASE WHEN r.reason BETWEEN 211 AND 213 THEN c.code END AS currency, r.qty AS cancelled_count
    FROM all_reports r LEFT JOIN instruments i USING (instrument)
    LEFT JOIN currencies c ON c.currency = r.px WHERE r.kind = 9;
"""
"""The same with what limits latched and lifted: money, a number of messages, a quantity."""

MOVEMENTS = """
ALTER TABLE deposits ADD COLUMN op smallint NOT NULL DEFAULT 22, ADD COLUMN movement_id bytea,
    ADD COLUMN counter_account bigint;
COMMENT ON COLUMN deposits.amount IS 'below zero where money went out';
COMMENT ON COLUMN deposits.movement_id IS 'the id that was given, without zeros at its end';
COMMENT ON COLUMN deposits.counter_account IS 'of a transfer the other side, 0 for the fee account';
CREATE VIEW movement_list AS
    SELECT d.account, d.seq, d.event_idx, moment(d.eng_ts) AS moved_at,
        CASE d.op WHEN 22 THEN 'account' WHEN 34 THEN 'deposit' WHEN 35 THEN 'withdraw'
            WHEN 36 THEN 'transfer' END AS op,
        d.counter_account, c.code AS currency, money(d.amount, c) AS amount, money(d.balance, c) AS balance,
        CASE WHEN get_byte(d.movement_id, 0) = 1
            THEN rpad(encode(substr(d.movement_id, 2), 'hex'), 32, '0')::uuid::text
            ELSE encode(d.movement_id, 'escape') END AS id
    FROM deposits d JOIN currencies c USING (currency);
"""
"""Deposits by an ACCOUNT line were all there was; now there are movements with an id, and either side of
transfers."""

REDUCE_ONLY_AND_MARGIN = """
ALTER TABLE orders ADD COLUMN is_reduce_only boolean NOT NULL DEFAULT false;
CREATE OR REPLACE VIEW latch_list AS
    SELECT r.seq, moment(r.eng_ts) AS latched_at, nullif(r.account, 0) AS account, i.symbol,
        (ARRAY['none','warn','reduce_only','cancel_and_block'])[r.status + 1] AS level,
        CASE r.reason WHEN 209 THEN 'kill' WHEN 211 THEN 'max_daily_loss' WHEN 212 THEN 'max_drawdown'
            WHEN 213 THEN 'max_drawdown_bps' WHEN 218 THEN 'max_order_trade_ratio'
            WHEN 219 THEN 'max_fill_rate' WHEN 245 THEN 'maintenance_margin' END AS limit_name,
        CASE r.reason WHEN 209 THEN NULL WHEN 218 THEN r.cum_qty::numeric
            WHEN 219 THEN trim_scale(r.cum_qty * 0.000000001) ELSE money(r.cum_qty, c) END AS measured,
        CASE r.reason WHEN 209 THEN NULL WHEN 218 THEN r.leaves_qty::numeric
            WHEN 219 THEN trim_scale(r.leaves_qty * 0.000000001) ELSE money(r.leaves_qty, c) END AS allowed,
        CASE WHEN r.reason BETWEEN 211 AND 213 OR r.reason = 245 THEN c.code END AS currency,
        r.qty AS cancelled_count, nullif(r.client_order_id, 0) AS of_group
    FROM all_reports r LEFT JOIN instruments i USING (instrument)
    LEFT JOIN currencies c ON c.currency = r.px WHERE r.kind = 9;
"""
"""Reduce-only orders; latches with those of a maintenance margin, and of groups."""

RISK = """
CREATE TABLE latches (
    account bigint NOT NULL, event_idx bigint NOT NULL, seq bigint NOT NULL, eng_ts bigint NOT NULL,
    measured bigint NOT NULL, allowed bigint NOT NULL, cancelled_count bigint NOT NULL,
    instrument integer NOT NULL, currency integer NOT NULL,
    reason smallint NOT NULL, level smallint NOT NULL,
    PRIMARY KEY (account, event_idx)
);
CREATE INDEX latches_by_event ON latches (event_idx);
COMMENT ON COLUMN latches.account IS '0: of an instrument or the venue (instrument -1); below 0: of a group';
COMMENT ON COLUMN latches.level IS '0: lifted';
INSERT INTO latches
    SELECT account - client_order_id, event_idx, seq, eng_ts, cum_qty, leaves_qty, qty, instrument, px,
        reason, status
    FROM all_reports WHERE kind = 9;

CREATE TABLE equity (
    account bigint NOT NULL, seq bigint NOT NULL, eng_ts bigint NOT NULL,
    equity bigint, peak bigint, day_start bigint,
    currency integer NOT NULL, is_session_start boolean NOT NULL,
    PRIMARY KEY (account, seq)
);
COMMENT ON COLUMN equity.equity IS 'null: beyond 2**62';
COMMENT ON COLUMN equity.peak IS 'null: no limit is measured from it; so day_start';
CREATE VIEW equity_history AS
    SELECT e.account, e.seq, moment(e.eng_ts) AS sampled_at, c.code AS currency, money(e.equity, c) AS equity,
        money(e.peak, c) AS peak, money(e.peak - e.equity, c) AS drawdown, money(e.day_start, c) AS day_start
    FROM equity e JOIN currencies c USING (currency);
"""
"""What was latched, warned of and lifted; what accounts with limits of loss were worth, sampled. A database
of before gets all its latches, and equity from the next command on."""

MIGRATIONS = (
    *(TABLES, VIEWS, QUIET_INDEX, LATCHES, LATCHES_OF_LIMITS, MOVEMENTS, REDUCE_ONLY_AND_MARGIN, RISK),
)
"""Version N of the schema is the first N of them; one that was released is never changed."""

SESSION = (
    """CREATE TEMPORARY TABLE changed_orders (
        order_id bigint, px bigint, qty bigint, cum_qty bigint, leaves_qty bigint, notional bigint,
        updated_at bigint, updated_seq bigint, rev integer, status smallint, reason smallint
    ) ON COMMIT DELETE ROWS""",
    # What is staged was never analysed: without this the planner reads all orders for every merge.
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "CREATE TEMPORARY TABLE changed_balances (LIKE balances) ON COMMIT DELETE ROWS",
    "CREATE TEMPORARY TABLE changed_positions (LIKE positions) ON COMMIT DELETE ROWS",
    "CREATE TEMPORARY TABLE changed_currencies (LIKE currencies) ON COMMIT DELETE ROWS",
    "CREATE TEMPORARY TABLE changed_instruments (LIKE instruments) ON COMMIT DELETE ROWS",
    "CREATE TEMPORARY TABLE changed_accounts (LIKE accounts) ON COMMIT DELETE ROWS",
    """CREATE TEMPORARY TABLE sampled_equity (
        account bigint, seq bigint, eng_ts bigint, equity bigint, peak bigint, day_start bigint,
        currency integer, is_session_start boolean, is_first boolean
    ) ON COMMIT DELETE ROWS""",
)

MERGE_ORDERS = """
UPDATE orders o SET px = c.px, qty = c.qty, cum_qty = c.cum_qty, leaves_qty = c.leaves_qty,
    notional = c.notional, updated_at = c.updated_at, updated_seq = c.updated_seq,
    rev = greatest(o.rev, c.rev), status = c.status, reason = c.reason
FROM changed_orders c WHERE o.order_id = c.order_id
"""
MERGE_BALANCES = """
INSERT INTO balances SELECT * FROM changed_balances
ON CONFLICT (account, currency) DO UPDATE SET total = excluded.total, seq = excluded.seq
"""
MERGE_POSITIONS = """
INSERT INTO positions SELECT * FROM changed_positions
ON CONFLICT (account, instrument) DO UPDATE SET qty = excluded.qty, cost = excluded.cost,
    realised = excluded.realised, seq = excluded.seq
"""
MERGE_CURRENCIES = "INSERT INTO currencies SELECT * FROM changed_currencies ON CONFLICT DO NOTHING"
MERGE_INSTRUMENTS = """
INSERT INTO instruments SELECT * FROM changed_instruments
ON CONFLICT (instrument) DO UPDATE SET max_px = excluded.max_px, max_qty = excluded.max_qty,
    max_notional = excluded.max_notional, band_low = excluded.band_low, band_high = excluded.band_high,
    collar_bps = excluded.collar_bps, maker_fee_ppm = excluded.maker_fee_ppm,
    taker_fee_ppm = excluded.taker_fee_ppm, phase = excluded.phase
"""
MERGE_ACCOUNTS = """
INSERT INTO accounts SELECT * FROM changed_accounts
ON CONFLICT (account) DO UPDATE SET is_enabled = excluded.is_enabled, is_unlimited = excluded.is_unlimited
"""
MERGE_EQUITY = """
INSERT INTO equity
SELECT s.account, s.seq, s.eng_ts, s.equity, s.peak, s.day_start, s.currency, s.is_session_start
FROM sampled_equity s LEFT JOIN LATERAL (
    SELECT * FROM equity e WHERE e.account = s.account ORDER BY e.seq DESC LIMIT 1
) before ON true
WHERE NOT s.is_first OR s.is_session_start
    OR (s.equity, s.peak, s.day_start, s.currency)
        IS DISTINCT FROM (before.equity, before.peak, before.day_start, before.currency)
"""
"""What an account's first sample of a batch repeats is known here alone."""
