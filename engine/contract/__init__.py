"""The contract (L1): what applications, runtime and doors agree on, whatever the application does."""
