"""Tests of `firnline.core`: its modules share builders, strategies and a model of devices."""
