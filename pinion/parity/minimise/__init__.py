"""The shortest sequence of requests that still shows a difference, each trial with both services afresh."""
