"""Proves that the tests notice bugs in the messaging core, by planting one bug at a time in a copy of the tree.

`python -m verification.mutants [WORD...]` plants those whose names contain all the words, or all of them in a few
minutes, and prints for each whether a test noticed it. The tests of each bug must pass without it first: only then does
a failure prove anything.
"""
