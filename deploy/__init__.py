"""Declarations to CloudFormation, packages, stages, and the laptop's whole system."""
