"""Records, steps and contacts for other tools: XES and OCEL 2.0 for process miners, Parquet.

Reads the snapshot of the last finished run. A step beside reporting: it never asks the tool.
"""
