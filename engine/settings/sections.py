"""A table of the TOML, and the error that names what is wrong in one."""

from msgspec import Struct

from engine.contract.errors import UsageError


class ConfigError(UsageError, ValueError):
    """A setting that cannot be used: which one, its value and the mend."""


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the TOML: immutable, and a misspelt key is an error."""
