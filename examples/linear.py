"""A straight line through real measurements: descent ends at the least-squares solution."""

import sys

from lensgrad import recipes

epochs = 100 if "--quick" in sys.argv else 1000

data = recipes.petal_width()
run = recipes.regression_learner().fit(data, epochs=epochs, batch_size=len(data))
solution = recipes.least_squares(data)

print("trained       ", run.weights["weight"][0], run.weights["bias"][0])
print("least squares ", solution["weight"][0], solution["bias"][0])
print(f"largest difference {recipes.distance(run.weights, solution):.0e}")
