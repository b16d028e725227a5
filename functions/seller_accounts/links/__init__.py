"""Links: the signed state, the stored record and its confirmation."""
