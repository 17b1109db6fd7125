"""The book's data sets. A file that lies in the reader's copy of the book wins over what is made or found here."""
