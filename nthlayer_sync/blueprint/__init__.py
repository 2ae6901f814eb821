"""From what people wrote to what a service asks for: tiers, layers, blueprint files, annotations."""
