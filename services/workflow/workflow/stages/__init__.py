"""Stages: the columns of the board, as each firm wants them."""
