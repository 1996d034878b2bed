"""ILauncher by processes of this machine: in namespaces, or in nothing."""
