"""Tests of the demo app in a browser with a phone-sized screen, against their own stack."""
