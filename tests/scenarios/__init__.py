"""Whole days, told as stories through the services."""
