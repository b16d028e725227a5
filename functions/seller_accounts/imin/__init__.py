"""imin: the call, its response as imin sends it, and the app's accounts made from it."""
