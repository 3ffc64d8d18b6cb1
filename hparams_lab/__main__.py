"""`python -m hparams_lab` is `hparams_lab`."""

from hparams_lab.cli.main import main

if __name__ == "__main__":
    main()
