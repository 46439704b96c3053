"""Judgement: pure functions of (intended, evidence) that return findings. No I/O, no pytest."""
