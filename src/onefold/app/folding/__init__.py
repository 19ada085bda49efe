"""Everybody folded or decided anew: rules that changed mend the past, and rebuilds prove that it is as it should be."""
