"""Tests don't time: the first look at a country's holidays loads a module."""

from hypothesis import settings

settings.register_profile("praxis", deadline=None)
settings.load_profile("praxis")
