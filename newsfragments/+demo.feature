`python -m golem` is the command, too; the demo's cheats ask half the price, so that somebody is caught.
