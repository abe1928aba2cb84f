"""Lambdas that Cognito calls."""
