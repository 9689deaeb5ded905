"""The README's second program in Keras."""

import keras
import numpy as np

digits = np.load("digits.npz")
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    keras.layers.Conv2D(16, 3, activation="relu"),
    keras.layers.MaxPooling2D(2),
    keras.layers.Flatten(),
    keras.layers.Dense(10),
])  # fmt: skip
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
model.fit(digits["x_train"], digits["y_train"], validation_split=0.1, epochs=20, batch_size=32, verbose=0)
model.save("digits.keras")
found = keras.saving.load_model("digits.keras").evaluate(digits["x_test"], digits["y_test"], verbose=0, return_dict=True)
print(f"accuracy on unseen digits: {found['accuracy']:.3f}")
