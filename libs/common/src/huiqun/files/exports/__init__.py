"""Exports: a file of rows that tasks write, with progress, a hash, and a week to fetch it."""
