"""What an article should gain: by the curve of its site and its own past, and how improbable it is to gain so few."""
