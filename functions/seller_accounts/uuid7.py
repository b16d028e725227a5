"""UUID version 7: ids that sort by creation time, to the millisecond. Source: RFC 9562 5.7."""

import os
import uuid


def uuid7(now: float) -> uuid.UUID:
    """Make an id for `now`, in seconds since 1970."""
    milliseconds = int(now * 1000).to_bytes(6, "big")
    number = int.from_bytes(milliseconds + os.urandom(10), "big")
    number = (number & ~(0xF << 76)) | (0x7 << 76)  # version
    number = (number & ~(0x3 << 62)) | (0x2 << 62)  # variant
    return uuid.UUID(int=number)
