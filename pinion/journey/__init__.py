"""The whole way from an old service to Pinion, walked on this machine."""
