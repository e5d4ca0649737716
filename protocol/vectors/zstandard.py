"""Zstandard for the check of the golden vectors: one frame, whole, written from RFC 8878.

Python has no Zstandard of its own before 3.14, and the check uses nothing but Python. Small and
slow; strict: whatever the RFC calls corrupt is a `Corrupt`, and so is what would grow past `most`.
"""

MAGIC = 0xFD2FB528
MAX_BLOCK = 1 << 17

# RFC 8878, 3.1.1.3.2.1.1: what a code adds, and how many more bits follow.
LITERALS = [(n, 0) for n in range(16)] + [
    (16, 1), (18, 1), (20, 1), (22, 1), (24, 2), (28, 2), (32, 3), (40, 3), (48, 4), (64, 6),
    (128, 7), (256, 8), (512, 9), (1024, 10), (2048, 11), (4096, 12), (8192, 13), (16384, 14),
    (32768, 15), (65536, 16),
]  # fmt: skip
MATCHES = [(n + 3, 0) for n in range(32)] + [
    (35, 1), (37, 1), (39, 1), (41, 1), (43, 2), (47, 2), (51, 3), (59, 3), (67, 4), (83, 4),
    (99, 5), (131, 7), (259, 8), (515, 9), (1027, 10), (2051, 11), (4099, 12), (8195, 13),
    (16387, 14), (32771, 15), (65539, 16),
]  # fmt: skip
OFFSETS = [(1 << n, n) for n in range(32)]

# RFC 8878, 3.1.1.3.2.2: the distributions when a block brings none.
PREDEFINED_LITERALS = [4, 3] + [2] * 11 + [1] * 3 + [2] * 9 + [3, 2] + [1] * 5 + [-1] * 4
PREDEFINED_MATCHES = [1, 4, 3] + [2] * 6 + [1] * 37 + [-1] * 7
PREDEFINED_OFFSETS = [1] * 6 + [2] * 3 + [1] * 15 + [-1] * 5


class Corrupt(Exception):
    """It is not what RFC 8878 allows."""


def need(condition):
    if not condition:
        raise Corrupt


def decompress(data, most):
    """The content of the one frame that `data` is; no more than `most` bytes."""
    need(int.from_bytes(data[:4], "little") == MAGIC and len(data) >= 6)
    descriptor = data[4]
    single, checksum = descriptor & 0x20, descriptor & 4
    need(descriptor & 8 == 0)  # reserved
    need(descriptor & 3 == 0)  # a dictionary
    at = 5 if single else 6
    size_flag = descriptor >> 6
    size_len = [1 if single else 0, 2, 4, 8][size_flag]
    need(len(data) >= at + size_len)
    content = int.from_bytes(data[at : at + size_len], "little") + (256 if size_len == 2 else 0)
    at += size_len
    frame, last = Frame(most), False
    while not last:
        need(len(data) >= at + 3)
        header = int.from_bytes(data[at : at + 3], "little")
        at += 3
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        need(size <= MAX_BLOCK)
        stored = 1 if kind == 1 else size
        block = data[at : at + stored]
        need(len(block) == stored)
        at += stored
        if kind == 0:
            frame.put(block)
        elif kind == 1:
            frame.put(block * size)
        else:
            need(kind == 2)
            frame.block(block)
    need(not size_len or content == len(frame.out))
    if checksum:
        expected = int.from_bytes(data[at : at + 4], "little")
        need(len(data) >= at + 4 and xxh64(frame.out) & 0xFFFFFFFF == expected)
        at += 4
    need(at == len(data))
    return bytes(frame.out)


class Frame:
    """What blocks of a frame hand on: the content so far, the tables, the last offsets."""

    def __init__(self, most):
        self.out, self.most = bytearray(), most
        self.huffman = None
        self.tables = [None, None, None]
        self.last_offsets = [1, 4, 8]

    def put(self, data):
        need(len(self.out) + len(data) <= self.most)
        self.out += data

    def block(self, data):
        """A compressed block."""
        before = len(self.out)
        literals, at = self.literals(data)
        need(at < len(data))
        count, at = data[at], at + 1
        if count >= 128:
            need(len(data) >= at + (2 if count == 255 else 1))
            if count < 255:
                count, at = (count - 128 << 8) + data[at], at + 1
            else:
                count, at = data[at] + (data[at + 1] << 8) + 0x7F00, at + 2
        if count == 0:
            need(at == len(data))
            self.put(literals)
        else:
            self.put(literals[self.sequences(data, at, count, literals) :])
        need(len(self.out) - before <= MAX_BLOCK)

    def literals(self, data):
        """RFC 8878, 3.1.1.3.1: the literals of a block, and where they end."""
        need(data)
        kind, form = data[0] & 3, data[0] >> 2 & 3
        if kind < 2:
            header, shift = [(1, 3), (2, 4), (1, 3), (3, 4)][form]
            need(len(data) >= header)
            size = int.from_bytes(data[:header], "little") >> shift
            need(size <= MAX_BLOCK)
            stored = size if kind == 0 else 1
            found = data[header : header + stored]
            need(len(found) == stored)
            return (found if kind == 0 else found * size), header + stored
        header, bits = [(3, 10), (3, 10), (4, 14), (5, 18)][form]
        need(len(data) >= header)
        sizes = int.from_bytes(data[:header], "little") >> 4
        size, stored = sizes & (1 << bits) - 1, sizes >> bits
        need(size <= MAX_BLOCK)
        coded, end = data[header : header + stored], header + stored
        need(len(coded) == stored)
        if kind == 2:
            self.huffman, used = huffman_table(coded)
            coded = coded[used:]
        need(self.huffman)
        if form == 0:
            return huffman_stream(self.huffman, coded, size), end
        need(len(coded) >= 6)
        ends = [6]
        for i in range(3):
            ends.append(ends[-1] + int.from_bytes(coded[2 * i : 2 * i + 2], "little"))
        need(ends[-1] <= len(coded))
        ends.append(len(coded))
        part = (size + 3) // 4
        need(size >= 3 * part)
        parts = [part, part, part, size - 3 * part]
        found = b"".join(
            huffman_stream(self.huffman, coded[a:b], n) for a, b, n in zip(ends, ends[1:], parts)
        )
        return found, end

    def sequences(self, data, at, count, literals):
        """RFC 8878, 3.1.1.3.2: runs the sequences; how many literals they took."""
        need(at < len(data))
        modes, at = data[at], at + 1
        need(modes & 3 == 0)
        kinds = [
            (modes >> 6, PREDEFINED_LITERALS, 6, 9, LITERALS),
            (modes >> 4 & 3, PREDEFINED_OFFSETS, 5, 8, OFFSETS),
            (modes >> 2 & 3, PREDEFINED_MATCHES, 6, 9, MATCHES),
        ]
        for i, (mode, predefined, log, most_log, codes) in enumerate(kinds):
            if mode == 0:
                self.tables[i] = fse_table(predefined, log)
            elif mode == 1:
                need(at < len(data))
                self.tables[i] = ([(data[at], 0, 0)], 0)
                at += 1
            elif mode == 2:
                counts, log, used = fse_counts(data[at:], most_log)
                self.tables[i] = fse_table(counts, log)
                at += used
            need(self.tables[i])
            need(all(symbol < len(codes) for symbol, _, _ in self.tables[i][0]))
        bits = Backward(data[at:])
        tables = [table for table, _ in self.tables]
        states = [bits.read(log) for _, log in self.tables]
        taken = 0
        for left in range(count, 0, -1):
            literal, offset, match = (t[s][0] for t, s in zip(tables, states))
            offset = OFFSETS[offset][0] + bits.read(OFFSETS[offset][1])
            match = MATCHES[match][0] + bits.read(MATCHES[match][1])
            literal = LITERALS[literal][0] + bits.read(LITERALS[literal][1])
            offset = self.offset(offset, literal)
            need(taken + literal <= len(literals))
            self.put(literals[taken : taken + literal])
            taken += literal
            need(0 < offset <= len(self.out) <= self.most - match)
            for _ in range(match):
                self.out.append(self.out[-offset])
            if left > 1:
                for i in (0, 2, 1):
                    _, width, base = tables[i][states[i]]
                    states[i] = base + bits.read(width)
        need(bits.left == 0)
        return taken

    def offset(self, value, literal):
        """RFC 8878, 3.1.1.5: one of the last three offsets, or a new one."""
        last = self.last_offsets
        if value > 3:
            offset, rank = value - 3, 2
        else:
            rank = value - 1 + (literal == 0)
            offset = last[0] - 1 if rank == 3 else last[rank]
            rank = min(rank, 2)
        del last[rank]
        last.insert(0, offset)
        return offset


class Backward:
    """Bits from the end of `data`, whose highest set bit only says where they begin."""

    def __init__(self, data):
        need(data and data[-1])
        self.bits = int.from_bytes(data, "little")
        self.left = self.bits.bit_length() - 1

    def read(self, count):
        need(count <= self.left)
        self.left -= count
        return self.bits >> self.left & (1 << count) - 1

    def peek(self, count):
        """As `read`, but takes none, and past the end are zeros."""
        if count <= self.left:
            return self.bits >> self.left - count & (1 << count) - 1
        return (self.bits & (1 << self.left) - 1) << count - self.left


def fse_counts(data, most_log):
    """RFC 8878, 4.1.1: the counts, the accuracy, and the bytes that they took."""
    bits, at = int.from_bytes(data, "little"), 4
    log = (bits & 15) + 5
    need(data and log <= most_log)
    remaining, counts = 1 << log, []
    while remaining > 0:
        width = (remaining + 1).bit_length()
        value = bits >> at & (1 << width) - 1
        low, threshold = value & (1 << width - 1) - 1, (1 << width) - 2 - remaining
        if low < threshold:
            value, at = low, at + width - 1
        else:
            value, at = value - (threshold if value >> width - 1 else 0), at + width
        counts.append(value - 1)
        remaining -= abs(value - 1)
        repeat = 3 if value == 1 else 0
        while repeat == 3:
            repeat, at = bits >> at & 3, at + 2
            counts += [0] * repeat
            need(len(counts) <= 256 and at <= 8 * len(data))
    need(remaining == 0 and len(counts) <= 256 and at <= 8 * len(data))
    return counts, log, (at + 7) // 8


def fse_table(counts, log):
    """RFC 8878, 4.1.1: for each state its symbol, the bits to read, and what to add to them."""
    size = 1 << log
    symbols, high = [None] * size, size
    for symbol, count in enumerate(counts):
        if count < 0:
            high -= 1
            symbols[high] = symbol
    at, step = 0, (size >> 1) + (size >> 3) + 3
    for symbol, count in enumerate(counts):
        for _ in range(max(count, 0)):
            symbols[at] = symbol
            at = at + step & size - 1
            while at >= high:
                at = at + step & size - 1
    need(at == 0)
    following, table = [abs(count) for count in counts], []
    for symbol in symbols:
        state = following[symbol]
        following[symbol] += 1
        width = log - (state.bit_length() - 1)
        table.append((symbol, width, (state << width) - size))
    return table, log


def huffman_table(data):
    """RFC 8878, 4.2.1: by the next bits a symbol and its length; how many bits, and bytes taken."""
    need(data)
    header = data[0]
    if header >= 128:
        count, used = header - 127, 1 + (header - 126) // 2
        need(len(data) >= used)
        nibbles = [n for byte in data[1:used] for n in (byte >> 4, byte & 15)]
        weights = nibbles[:count]
    else:
        used = 1 + header
        need(len(data) >= used)
        weights = huffman_weights(data[1:used])
    total = sum(1 << w >> 1 for w in weights)
    need(total and len(weights) <= 255)
    width = total.bit_length()
    left = (1 << width) - total
    need(width <= 11 and left & left - 1 == 0)
    weights.append(left.bit_length())
    table = []
    for weight in range(1, width + 1):
        for symbol, its in enumerate(weights):
            if its == weight:
                table += [(symbol, width + 1 - weight)] * (1 << weight - 1)
    need(len(table) == 1 << width)
    return (table, width), used


def huffman_weights(data):
    """RFC 8878, 4.2.1.2: two states take turns until there are no bits for the next."""
    counts, log, used = fse_counts(data, 6)
    table, _ = fse_table(counts, log)
    bits = Backward(data[used:])
    states, weights, turn = [bits.read(log), bits.read(log)], [], 0
    while True:
        symbol, width, base = table[states[turn]]
        weights.append(symbol)
        need(len(weights) <= 254)
        if width > bits.left:
            weights.append(table[states[1 - turn]][0])
            return weights
        states[turn] = base + bits.read(width)
        turn = 1 - turn


def huffman_stream(table, data, count):
    table, width = table
    bits, found = Backward(data), bytearray()
    for _ in range(count):
        symbol, length = table[bits.peek(width)]
        need(length <= bits.left)
        bits.left -= length
        found.append(symbol)
    need(bits.left == 0)
    return bytes(found)


def xxh64(data):
    """The low half of it is a frame's checksum (RFC 8878, 3.1.1)."""
    mask = (1 << 64) - 1
    one, two, three = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
    four, five = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

    def turned(value, by):
        return (value << by | value >> 64 - by) & mask

    def mixed(lane, word):
        return turned(lane + word * two & mask, 31) * one & mask

    at, end = 0, len(data)
    if end >= 32:
        lanes = [one + two & mask, two, 0, -one & mask]
        while at + 32 <= end:
            for i in range(4):
                word = int.from_bytes(data[at + 8 * i : at + 8 * i + 8], "little")
                lanes[i] = mixed(lanes[i], word)
            at += 32
        hashed = sum(turned(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18))) & mask
        for lane in lanes:
            hashed = ((hashed ^ mixed(0, lane)) * one + four) & mask
    else:
        hashed = five
    hashed = hashed + end & mask
    while at + 8 <= end:
        word = int.from_bytes(data[at : at + 8], "little")
        hashed = (turned(hashed ^ mixed(0, word), 27) * one + four) & mask
        at += 8
    if at + 4 <= end:
        word = int.from_bytes(data[at : at + 4], "little")
        hashed = (turned(hashed ^ word * one & mask, 23) * two + three) & mask
        at += 4
    for byte in data[at:]:
        hashed = turned(hashed ^ byte * five & mask, 11) * one & mask
    for by, prime in ((33, two), (29, three), (32, 1)):
        hashed = (hashed ^ hashed >> by) * prime & mask
    return hashed
