"""Why a model says what it says: contributions, importances, counterfactuals, the model card."""
