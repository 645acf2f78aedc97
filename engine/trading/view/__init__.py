"""Views of live trading state, read-only and consistent, without copying the whole."""
