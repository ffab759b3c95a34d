"""Raises an error whose text raises another one, and whose class is a lie."""


class Evil(BaseException):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__


Evil.__name__ = "NotImplementedError"


def clip_logits(backbone, video):
    raise Evil()
