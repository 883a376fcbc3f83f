"""`make bench`: what one task completion costs, beside two other ways of doing it, all in one run on one machine."""
