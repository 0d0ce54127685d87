"""Parts that several kinds of hard negatives are made of."""

import random
from collections.abc import Callable

Text = Callable[[random.Random], tuple[str, str]]
"""A random stream to a question and an answer."""

# name, pronoun, possessive
PEOPLE = (
    ("Anna", "she", "her"), ("Ben", "he", "his"), ("Carla", "she", "her"), ("David", "he", "his"),
    ("Elena", "she", "her"), ("Farid", "he", "his"), ("Grace", "she", "her"), ("Hugo", "he", "his"),
    ("Ines", "she", "her"), ("Jonas", "he", "his"), ("Kira", "she", "her"), ("Liam", "he", "his"),
    ("Mona", "she", "her"), ("Nico", "he", "his"), ("Olga", "she", "her"), ("Pavel", "he", "his"),
    ("Rosa", "she", "her"), ("Sam", "he", "his"), ("Tara", "she", "her"), ("Viktor", "he", "his"),
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def capital(text: str) -> str:
    """The text with its first letter in capitals."""
    return text[:1].upper() + text[1:]


def join(*sentences: str) -> str:
    """The sentences in one line; empty ones are left out."""
    return " ".join(sentence for sentence in sentences if sentence)
