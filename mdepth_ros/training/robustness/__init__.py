"""How far a robot can trust the depth: scene classes, frame rates, events, steadiness."""
