"""Jobs in processes of this machine, forked from one that has everything loaded."""
