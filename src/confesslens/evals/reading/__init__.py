"""What graders read in an answer: its own words without the prompt's, and one module a kind of thing to be found."""
