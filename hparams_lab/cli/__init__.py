"""The command line: flags and printing, nowhere else."""
