"""Repairs by operators: redrive of dead letters, replay of history, rebuild of projections."""
