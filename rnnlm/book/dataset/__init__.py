"""The book's data sets. Files in the user's copy of the book take precedence over generated or downloaded data."""
