"""Pages without a key: health, metrics, the OpenAPI document and the dashboard."""
