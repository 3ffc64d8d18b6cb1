"""Whether days, sweeps or commits differ, and how sure that is."""
