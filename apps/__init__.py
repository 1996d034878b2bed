"""Task templates: each sub-package exports `template`, and knows neither the others nor the node's insides."""
