"""Travesía: a scheduled connector that places ITSM records on a customer journey."""

__version__ = "0.1.0"
