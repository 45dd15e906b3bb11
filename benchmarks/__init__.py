"""Measurements, side by side in one run: ratios matter, seconds on noisy machines do not."""
