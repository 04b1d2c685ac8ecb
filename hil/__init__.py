"""The rig: truth, imitation, trouble. Imports nothing of what it judges, save in rig.py."""
