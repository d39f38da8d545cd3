"""Prints the digests that `opening.rs` and `round_trip.rs` expect: the bytes that `content_digest` documents, by hand.

    python content_digest.py
"""

import hashlib
import struct


def digest(schema, splits):
    """`splits`: for train, validation and test the rows and each field's bytes."""
    schema = schema.encode()
    return digest_after(b"thimble dataset content 2\0" + struct.pack("<I", len(schema)) + schema, splits)


def digest_after(data, splits):
    for split, (rows, fields) in enumerate(splits):
        data += struct.pack("<BQ", split, rows) + b"".join(fields)
    return "sha256:" + hashlib.sha256(data).hexdigest()


def texts(texts):
    encoded = [text.encode() for text in texts]
    return b"".join(struct.pack("<I", len(text)) for text in encoded) + b"".join(encoded)


def numbers(kind, *values):
    return struct.pack(f"<{len(values)}{kind}", *values)


plain = b"thimble dataset content 1\0" + struct.pack("<BII", 1, 2, 2)
plain += struct.pack("<I", 1) + b"x" + struct.pack("<BBII", 0, 1, 1, 2)
plain += struct.pack("<I", 5) + b"label" + struct.pack("<BBI", 1, 3, 0)
rows = [([1, -0.0], 0), ([0.5, 2], 1), ([-1, 3], 1)]
print("plain", digest_after(plain, [(1, [numbers("f", *x), numbers("q", label)]) for x, label in rows]))
print("text ", digest(
    '{"task":{"kind":"text_classification","classes":2,"class_names":["no","ja"]},"fields":['
    '{"name":"text","dtype":"text","shape":[],"role":"input"},'
    '{"name":"condition","dtype":"u8","shape":[],"role":"input"},'
    '{"name":"label","dtype":"s64","shape":[],"role":"target"}]}',
    [
        (3, [texts(["grün", "", "a b"]), numbers("B", 3, 4, 5), numbers("q", 1, 0, 1)]),
        (1, [texts(["🙂"]), numbers("B", 3), numbers("q", 0)]),
        (2, [texts(["", "x"]), numbers("B", 3, 4), numbers("q", 1, 0)]),
    ],
))
print("boxes", digest(
    '{"task":{"kind":"object_detection","classes":1},"fields":['
    '{"name":"image","dtype":"u8","shape":[1,2,1],"role":"input"},'
    '{"name":"counts","dtype":"s32","shape":[],"role":"target"},'
    '{"name":"boxes","dtype":"f32","shape":[4],"role":"target","ragged":true},'
    '{"name":"labels","dtype":"s64","shape":[],"role":"target","ragged":true}]}',
    [
        (2, [numbers("B", 0, 1, 2, 3), numbers("i", 0, 2), numbers("f", 0, 0, 1, 1, 0.5, 0.25, 2, 1), numbers("q", 0, 0)]),
        (1, [numbers("B", 0, 1), numbers("i", 1), numbers("f", -1, -0.0, 1.5, 1), numbers("q", 0)]),
        (1, [numbers("B", 0, 1), numbers("i", 0), numbers("f"), numbers("q")]),
    ],
))
