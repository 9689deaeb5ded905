"""Proofs about circuits: equality and properties by SAT, and a checker that imports nothing of ours."""
