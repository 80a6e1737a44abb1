"""Hosts to compare with, as adapter modules for the official runner and for ours."""
