"""The pictures of the reports: frozen figures in, static SVG out.

Each module has the figures that one form of picture needs (a dataclass, its texts already in the
reader's language) and one function that draws them, or answers None where there is nothing to show.
Vega-Lite draws the forms that it has; `ink.py` draws those that no library has.
"""
