"""An error, a value and a reply whose texts no file can hold: halves of surrogate pairs."""

import json
import os
import struct


def say(data):
    for number in range(1, 64):
        try:
            os.write(number, data)
        except OSError:
            pass


def clip_logits(backbone, video):
    head = json.dumps(
        {"ok": False, "kind": "\ud800", "text": "\udfff", "trace": "\ud83d", "arrays": [], "plain": {}}
    )
    say(struct.pack("<QQ", len(head), 0) + head.encode())
    raise ValueError("a \ud800 b")
