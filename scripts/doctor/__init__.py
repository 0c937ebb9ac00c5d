"""`make doctor`: one page that says what is wrong with a deployment and what to press.

What belongs here: looking. Nothing in this package changes anything, starts anything, or waits without a limit: a
doctor is called when half of the house is down.
"""
