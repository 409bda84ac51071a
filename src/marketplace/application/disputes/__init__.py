"""Disputes: a buyer's claim on a sale, decided by verifiers and admins."""
