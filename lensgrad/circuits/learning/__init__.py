"""Learning circuits: from tables, by networks, polynomials, search and exact solution."""
