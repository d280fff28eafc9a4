"""Mediation: conflicts between members are talked over."""
