"""What every stage needs around its loop: recipe, devices, saved states, logs."""
