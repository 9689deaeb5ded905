"""What people ask a parametric arrow for that a model, a learner or a run has: where it is."""

LEARNER = "lg.supervised(model, loss, optimizer)"
AFTER = f"a model has no values of its own: train it with run = {LEARNER}.fit(data), and ask the run for"
VERB = "it is for models, before lens(…); lg.lens.Model.of(f) makes one of another arrow P × A → B"
ELSEWHERE = {  # what people ask a model for that a learner or a run has
    "compile": f"a model becomes a learner with {LEARNER}",
    "evaluate": f"{AFTER} run.evaluate(data)",
    "fit": f"a model is trained with a loss and an optimizer, as {LEARNER}.fit(data)",
    "parameters": "the names of its parameters are model.names",
    "predict": f"{AFTER} run.predict(x)",
    "save": f"{AFTER} run.save(path)",
    "state_dict": f"{AFTER} run.weights",
    "summary": "write lg.summary(model)",
    "weights": f"{AFTER} run.weights",
    **dict.fromkeys(("freeze", "thaw", "tie", "lora", "ema"), VERB),
}
