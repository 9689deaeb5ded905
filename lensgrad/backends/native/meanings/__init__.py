"""What each generator means in C: one line for each."""
