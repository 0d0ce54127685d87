"""What scenarios are made of: tables of facts with their sources, settings files, problems of a timed test."""
