"""What every api does, whatever its application: who asks, pages of the past, status, metrics, serving."""
