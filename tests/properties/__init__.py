"""Tests that choose their own acts: a machine against a model."""
