"""What `supervised` makes, composed by hand from its five parts: the same value, compared with `==`."""

import lensgrad as lg
from lensgrad.lens import batch, corner, lens, mean, rate

model = lg.dense(4, 20, activation="sigmoid", name="hidden") >> lg.dense(20, 3, name="output")
learner = lg.supervised(model, loss=lg.half_squared_error, optimizer=lg.momentum(0.9), rate=0.01)

task = corner(lg.Real(4), "x") >> model >> lg.half_squared_error("y")  # I → ℝ, everything else is a parameter
closed = lens(batch(task, 16) >> mean) >> rate(0.01)  # the same with a way back, begun by the rate
by_hand = closed.reparam({lg.weights: lg.momentum(0.9)})  # what comes back to a weight becomes its next value

print("equal to learner.lens(batch=16):", by_hand == learner.lens(batch=16))
print("equal to learner.lens(batch=8): ", by_hand == learner.lens(batch=8))
