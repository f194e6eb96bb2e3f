"""One pass: publish, pull and copy events between a folder and its stores."""
