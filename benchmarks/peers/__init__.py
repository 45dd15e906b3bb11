"""The peers, each in an environment of its own at its best setting; see benchmarks/pull.py."""
