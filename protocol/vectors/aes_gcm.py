"""AES-256-GCM in plain Python, to open encrypted batches with: NIST FIPS 197 and SP 800-38D.

Slow, and open to whoever measures it: for golden vectors, not for secrets.
"""


class Forged(Exception):
    """The tag is another than that of these bytes."""


def times_x(byte):
    """The double of a byte in the field of AES."""
    return (byte << 1 ^ 0x11B) & 0xFF if byte & 0x80 else byte << 1


def s_box():
    box, p, q = [0] * 256, 1, 1
    while True:
        p ^= times_x(p)  # times 3
        q ^= q << 1  # divided by 3
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        rotated = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        box[p] = (rotated ^ 0x63) & 0xFF
        if p == 1:
            break
    box[0] = 0x63
    return box


S_BOX = s_box()


def round_keys(key):
    words = [list(key[at : at + 4]) for at in range(0, 32, 4)]
    constant = 1
    while len(words) < 60:
        word = list(words[-1])
        if len(words) % 8 == 0:
            word = [S_BOX[byte] for byte in word[1:] + word[:1]]
            word[0] ^= constant
            constant = times_x(constant)
        elif len(words) % 8 == 4:
            word = [S_BOX[byte] for byte in word]
        words.append([a ^ b for a, b in zip(word, words[-8])])
    return [sum(words[at : at + 4], []) for at in range(0, 60, 4)]


def encrypt_block(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number in range(1, 15):
        state = [S_BOX[byte] for byte in state]
        # Columns of four bytes; row r moves r places to the left.
        state = [state[(at + 4 * (at % 4)) % 16] for at in range(16)]
        if number < 14:
            mixed = []
            for at in range(0, 16, 4):
                a, b, c, d = state[at : at + 4]
                every = a ^ b ^ c ^ d
                for this, following in ((a, b), (b, c), (c, d), (d, a)):
                    mixed.append(this ^ every ^ times_x(this ^ following))
            state = mixed
        state = [a ^ b for a, b in zip(state, keys[number])]
    return bytes(state)


def multiply(x, y):
    """In the field of GHASH, whose lowest power is the highest bit."""
    product = 0
    for bit in range(127, -1, -1):
        if y >> bit & 1:
            product ^= x
        x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
    return product


def ghash(h, authenticated, data):
    lengths = (8 * len(authenticated)).to_bytes(8, "big") + (8 * len(data)).to_bytes(8, "big")
    y = 0
    for part in (authenticated, data, lengths):
        for at in range(0, len(part), 16):
            block = part[at : at + 16].ljust(16, b"\0")
            y = multiply(y ^ int.from_bytes(block, "big"), h)
    return y


def open_sealed(key, nonce, sealed, authenticated):
    """The data of `sealed`, which ends with a tag of 16 bytes."""
    keys = round_keys(key)
    data, tag = sealed[:-16], sealed[-16:]
    h = int.from_bytes(encrypt_block(keys, bytes(16)), "big")
    mask = encrypt_block(keys, nonce + (1).to_bytes(4, "big"))
    expected = ghash(h, authenticated, data) ^ int.from_bytes(mask, "big")
    if expected.to_bytes(16, "big") != tag:
        raise Forged
    out = bytearray()
    for at in range(0, len(data), 16):
        stream = encrypt_block(keys, nonce + (at // 16 + 2).to_bytes(4, "big"))
        out += bytes(a ^ b for a, b in zip(data[at : at + 16], stream))
    return bytes(out)


# Test cases 13 and 14 of the specification of GCM.
assert open_sealed(bytes(32), bytes(12), bytes.fromhex("530f8afbc74536b9a963b4f1c4cb738b"), b"") == b""
assert (
    open_sealed(
        bytes(32),
        bytes(12),
        bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
        b"",
    )
    == bytes(16)
)
