"""Sponsors' column maps that ship with the program."""
