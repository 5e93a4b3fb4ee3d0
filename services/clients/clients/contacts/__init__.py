"""Contacts: the people who act for clients, and in which roles."""
