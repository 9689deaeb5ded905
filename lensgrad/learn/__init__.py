"""Learning components, all of them lenses: layers, losses, rates, optimizers, adapters, games."""
