"""Dosing and drug accountability for an investigational pharmacy."""

__version__ = "0.5.0"
