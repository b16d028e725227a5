"""Tests of the demo app: in a browser, at a phone's size, against a stack of their own."""
