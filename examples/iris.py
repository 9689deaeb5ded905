"""Eight lines train a network on real flowers and test it on flowers it has not seen."""

import sys

import lensgrad as lg

epochs = 10 if "--quick" in sys.argv else 100

x, y = lg.data.iris()
train, test = (x[::2], y[::2]), (x[1::2], y[1::2])
model = lg.sequential(lg.input(4), lg.dense(16, activation="sigmoid"), lg.dense(3))
learner = lg.supervised(model, loss=lg.cross_entropy, optimizer=lg.sgd(0.02, momentum=0.9), metrics=["accuracy"])
run = learner.fit(train, epochs=epochs, batch_size=25, seed=0)
print(f"accuracy on unseen flowers: {run.evaluate(test)['accuracy']:.3f}")
