"""Model organisms: adapters that give a model a known disposition, to calibrate the instrument on."""
