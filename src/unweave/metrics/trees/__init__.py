"""Boosted trees, to the last bit those of scikit-learn, grown on all cores."""
