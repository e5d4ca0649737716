#!/usr/bin/env python3
"""Checks the golden vectors with a decoder written from ../SPEC.md alone.

    check.py              decodes every vector; exits 1 if one means something else
    check.py --self-test  lies about every vector in several ways; exits 1 if a lie goes unnoticed
    check.py FILE...      as the first, for these files only

Plain Python 3.11, no dependencies, nothing of the Rust code: whoever writes a client from the text
can start here. Fields of kinds come from ../spec/kinds.toml, names of errors and limits from the
tables beside it. Numbers in brackets are rules of SPEC.md.
"""

import copy
import hashlib
import hmac
import json
import pathlib
import sys
import tomllib

import aes_gcm
import zstandard

HERE = pathlib.Path(__file__).resolve().parent
SPEC = HERE.parent / "spec"


def table(name):
    with open(SPEC / f"{name}.toml", "rb") as file:
        return tomllib.load(file)


KINDS = table("kinds")
KIND_BY_NUMBER = {kind["number"]: kind for kind in KINDS["kind"]}
STRUCTS = {struct["name"]: struct for struct in KINDS["struct"]}
ENUMS = {enum["name"] for enum in KINDS["enum"]}
ERRORS = {error["name"] for error in table("errors")["error"]}
DUPLICATE_IDS = 411
LIMITS = {limit["name"]: limit["value"] for limit in table("limits")["limit"]}

RESPONSE, ONE_WAY, MORE = 1, 2, 4
PARTITION_COUNTS = [1, 2, 7, 12, 100_000, 1 << 31]


class Refused(Exception):
    """Bytes that a receiver refuses, with the name of the error."""


# --- checksums and hashes --------------------------------------------------------------------


def crc_table():
    """[W-9] The reflected polynomial of 0x1EDC6F41."""
    entries = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        entries.append(byte)
    return entries


CRC_TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


def murmur2(key):
    """[K-1]"""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(key)
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at : at + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    if whole < len(key):
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)


def partitions(key):
    """[K-2]"""
    return {str(n): (murmur2(key) & 0x7FFFFFFF) % n for n in PARTITION_COUNTS}


# --- the meta of a frame ---------------------------------------------------------------------


class Reader:
    """Takes fields from bytes and never reads past them [W-13]."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def left(self):
        return len(self.data) - self.at

    def bytes(self, count):
        if count > self.left():
            raise Refused("MALFORMED_META")
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken

    def number(self, size, signed=False):
        return int.from_bytes(self.bytes(size), "little", signed=signed)

    def string(self):
        try:
            return self.bytes(self.number(2)).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("MALFORMED_META") from None

    def value(self, kind):
        """A field of a type of kinds.toml, as the vectors write it down."""
        match kind:
            case "u8":
                return self.number(1)
            case "u16":
                return self.number(2)
            case "u32":
                return self.number(4)
            case "u64":
                return str(self.number(8))
            case "i64":
                return str(self.number(8, signed=True))
            case "bool":
                flag = self.number(1)
                if flag > 1:
                    raise Refused("MALFORMED_META")
                return flag == 1
            case "str":
                return self.string()
            case "bytes":
                return self.bytes(self.number(4)).hex()
        if kind.startswith("list:"):
            item = kind.removeprefix("list:")
            count = self.number(4)
            if count * smallest(item) > self.left():
                raise Refused("MALFORMED_META")
            return [self.value(item) for _ in range(count)]
        if kind in ENUMS:
            return self.number(1)
        return {field["name"]: self.value(field["type"]) for field in STRUCTS[kind]["fields"]}

    def tlvs(self, known):
        """[W-14] The optional fields that are left; those in `known` by name."""
        found = {tlv["name"]: None for tlv in known.values()}
        while not (self.left() < 8 and not any(self.data[self.at :])):
            tag = self.number(2)
            critical, tag = tag & 0x8000, tag & 0x7FFF
            value = Reader(self.bytes(self.number(2)))
            if tag == 0:
                raise Refused("MALFORMED_META")
            if tag not in known:
                if critical:
                    raise Refused("UNSUPPORTED_FIELD")
                continue
            name = known[tag]["name"]
            if found[name] is not None:
                raise Refused("MALFORMED_META")
            found[name] = value.value(known[tag]["type"])
            if value.left():
                raise Refused("MALFORMED_META")
        return found


def smallest(kind):
    """The fewest bytes of a type, to judge a count by [W-13]."""
    sizes = {"u8": 1, "bool": 1, "u16": 2, "str": 2, "u32": 4, "bytes": 4, "u64": 8, "i64": 8}
    if kind in sizes:
        return sizes[kind]
    if kind.startswith("list:"):
        return 4
    if kind in ENUMS:
        return 1
    return sum(smallest(field["type"]) for field in STRUCTS[kind]["fields"])


def decode_meta(meta, kind, part):
    """[W-12]"""
    reader = Reader(meta)
    fields = {field["name"]: reader.value(field["type"]) for field in kind.get(part, [])}
    known = {tlv["tag"]: tlv for tlv in kind.get(f"{part}_tlvs", [])}
    return fields | reader.tlvs(known)


# --- frames ----------------------------------------------------------------------------------


def decode_preface(data):
    """[P-2, P-3]"""
    if data[:4] != b"TIDE":
        raise Refused("NOT_TIDEWIRE")
    if data[4] != 1:
        raise Refused("UNSUPPORTED_PROTOCOL")
    return {"major": data[4], "minor": data[5]}


def decode_frame(data):
    head = Reader(data[:32])
    size, number, version, flags = (head.number(n) for n in (4, 2, 1, 1))
    correlation, channel, aux, meta_len, crc = (head.number(n) for n in (8, 4, 4, 4, 4))
    if size > LIMITS["MAX_FRAME_LEN"]:
        raise Refused("FRAME_TOO_LARGE")  # [W-3]
    if size < 32 or size % 8:
        raise Refused("MALFORMED_FRAME")
    if meta_len % 8 or meta_len > min(size - 32, LIMITS["MAX_META_LEN"]):
        raise Refused("MALFORMED_FRAME")  # [W-4]
    if flags & ~(RESPONSE | ONE_WAY | MORE):
        raise Refused("MALFORMED_FRAME")  # [W-5]
    meta = data[32 : 32 + meta_len]
    if crc32c(data[:28] + meta) != crc:
        raise Refused("FRAME_CHECKSUM")  # [W-9]
    if size != len(data):
        raise ValueError("a vector is one frame")
    response = bool(flags & RESPONSE)
    payload = data[32 + meta_len :]
    if response and aux & 0xFFFF:
        reader = Reader(meta)  # [E-1]
        fields = {"message": reader.string()}
        if aux & 0xFFFF == DUPLICATE_IDS:
            seen = {"name": "seen", "type": "list:SeenRange"}
            fields |= reader.tlvs({1: seen})  # [I-15]
        else:
            reader.tlvs({})
        takes_payload = False
    else:
        kind = KIND_BY_NUMBER.get(number)
        if kind is None:
            raise Refused("UNKNOWN_KIND")
        if version != kind["version"]:
            raise Refused("UNSUPPORTED_VERSION")
        if bool(flags & ONE_WAY) != (kind["direction"] != "request"):
            raise Refused("MALFORMED_META")  # [E-7]
        part = "response" if response else "request"
        fields = decode_meta(meta, kind, part)
        takes_payload = kind.get("payload") == part
    if payload and not takes_payload:
        raise Refused("MALFORMED_META")  # [W-15]
    batches = []
    while payload:
        length = int.from_bytes(payload[28:32], "little")
        batches.append(decode_batch(payload[:length]))
        payload = payload[length:]
    return {
        "header": {
            "size": size,
            "kind": number,
            "kind_version": version,
            "flags": flags,
            "correlation": str(correlation),
            "channel": channel,
            "aux": aux,
            "meta_len": meta_len,
        },
        "fields": fields,
        "batches": batches,
    }


# --- batches ---------------------------------------------------------------------------------

KEYS, HEADERS, TIMES, IDS, VALUE_NULLS, KEY_NULLS, OFFSET_DELTAS = 1, 2, 4, 8, 16, 32, 64
KNOWN_COLUMNS = 127


def pad8(length):
    return (length + 7) & ~7


def corrupt(condition):
    if condition:
        raise Refused("CORRUPT_BATCH")


def unsupported(condition):
    if condition:
        raise Refused("UNSUPPORTED_BATCH")


# What whoever reads the vectors of encrypted batches has, and where these belong.
VECTOR_KEYS = {1: bytes(range(32)), 2: bytes(range(32, 64))}
VECTOR_PLACE = (3, "shop", "orders")


def decode_encrypted(data):
    return decode_batch(data, VECTOR_KEYS) | {"key_id": int.from_bytes(data[72:76], "little")}


def decode_batch(data, keys=None):
    # [B-6] in its order
    corrupt(len(data) < 80)
    head = Reader(data[:80])
    base_offset, append_time, epoch = head.number(8), head.number(8, True), head.number(4)
    header_crc, body_crc, total_len = head.number(4), head.number(4), head.number(4)
    form, codec, columns, count = head.number(1), head.number(1), head.number(2), head.number(4)
    base_time, producer, sequence = head.number(8, True), head.number(8), head.number(8)
    producer_epoch, raw_len, key_id, reserved = (head.number(4) for _ in range(4))
    corrupt(crc32c(data[:20] + data[24:80]) != header_crc)  # [B-3]
    unsupported(form != 1)
    corrupt(total_len < 80 or total_len % 8)
    corrupt(count == 0)
    unsupported(reserved)
    corrupt(codec == 0 and key_id == 0 and raw_len != total_len - 80)
    if total_len > LIMITS["MAX_BATCH_LEN"] or count > LIMITS["MAX_BATCH_RECORDS"]:
        raise Refused("BATCH_TOO_LARGE")  # [B-1]
    corrupt(len(data) != total_len)
    corrupt(crc32c(data[28:]) != body_crc)  # [B-4]
    unsupported(codec > 2)  # [B-7]
    if 80 + raw_len > LIMITS["MAX_BATCH_LEN"]:
        raise Refused("BATCH_TOO_LARGE")  # [B-16]
    if key_id:
        ids, body = decrypt(data, count, columns, keys or {})
        corrupt(codec == 0 and len(body) != raw_len)
        body = body if codec == 0 else decompress_data(codec, body, raw_len)
    else:
        ids, body = None, data[80:] if codec == 0 else decompress(codec, data[80:], raw_len)
    unsupported(columns & ~KNOWN_COLUMNS)  # [B-7]
    records = decode_body(body, count, columns)
    if ids is not None:
        corrupt(ids != [record["id"] for record in records])  # [B-20]
    for record in records:
        corrupt(base_offset + record["offset"] >= 1 << 64)  # [B-14]
        corrupt(base_time + record["time_us"] >= 1 << 63)  # [B-12]
        record["offset"] = str(base_offset + record["offset"])
        record["time_us"] = str(base_time + record["time_us"])
    return {
        "base_offset": str(base_offset),
        "append_time_us": str(append_time),
        "leader_epoch": epoch,
        "columns": columns,
        "base_time_us": str(base_time),
        "producer_id": str(producer),
        "base_sequence": str(sequence),
        "producer_epoch": producer_epoch,
        "records": records,
    }


def decrypt(data, count, columns, keys):
    """[B-17] The ids that stand in the clear, or None, and what was sealed."""
    unsupported(columns & ~KNOWN_COLUMNS or columns & OFFSET_DELTAS)
    ids_end = 120 + (16 * count if columns & IDS else 0)
    corrupt(len(data) < ids_end)
    check, nonce = data[80:88], data[88:112]
    sealed_len, zero = (int.from_bytes(data[at : at + 4], "little") for at in (112, 116))
    unsupported(zero)
    corrupt(sealed_len < 16 or ids_end + pad8(sealed_len) != len(data))
    raw_len = int.from_bytes(data[68:72], "little")
    corrupt(data[33] == 0 and sealed_len != raw_len + 16)
    sealed = data[ids_end : ids_end + sealed_len]
    corrupt(any(data[ids_end + sealed_len :]))  # [B-15]
    # [B-18, B-20]
    key = keys.get(int.from_bytes(data[72:76], "little"))
    if key is None:
        raise Refused("ENCRYPTION_KEY_MISSING")
    if hmac.digest(key, b"tidewire key check 1", hashlib.sha256)[:8] != check:
        raise Refused("ENCRYPTION_KEY_WRONG")
    batch_key = hmac.digest(key, b"tidewire batch key 1" + nonce[:12], hashlib.sha256)
    # [B-19]
    partition, *names = VECTOR_PLACE
    authenticated = data[32:48] + data[68:76] + partition.to_bytes(4, "little")
    for name in names:
        authenticated += len(name.encode()).to_bytes(2, "little") + name.encode()
    authenticated += data[120:ids_end]
    try:
        plain = aes_gcm.open_sealed(batch_key, nonce[12:], sealed, authenticated)
    except aes_gcm.Forged:
        raise Refused("DECRYPTION_FAILED") from None
    if not columns & IDS:
        return None, plain
    return [record_id(data[at : at + 16]) for at in range(120, ids_end, 16)], plain


def decompress(codec, stored, raw_len):
    # [B-16]
    corrupt(len(stored) < 8)
    data_len, zero = (int.from_bytes(stored[at : at + 4], "little") for at in (0, 4))
    unsupported(zero)
    corrupt(8 + pad8(data_len) != len(stored))
    data = stored[8 : 8 + data_len]
    corrupt(any(stored[8 + data_len :]))  # [B-15]
    return decompress_data(codec, data, raw_len)


def decompress_data(codec, data, raw_len):
    if codec == 2:
        try:
            body = zstandard.decompress(data, raw_len)
        except zstandard.Corrupt:
            raise Refused("CORRUPT_BATCH") from None
    else:
        body = lz4_block(data, raw_len)
    corrupt(len(body) != raw_len)
    return body


def lz4_block(data, most):
    """An LZ4 block: sequences of literals and of matches, which copy from before."""
    out, at = bytearray(), 0

    def extended(length):
        nonlocal at
        if length == 15:
            while True:
                corrupt(at >= len(data))
                byte = data[at]
                at += 1
                length += byte
                if byte != 255:
                    break
        return length

    while True:
        corrupt(at >= len(data))
        token = data[at]
        at += 1
        literals = extended(token >> 4)
        corrupt(at + literals > len(data) or len(out) + literals > most)
        out += data[at : at + literals]
        at += literals
        if at == len(data):
            return bytes(out)
        corrupt(at + 2 > len(data))
        offset = int.from_bytes(data[at : at + 2], "little")
        at += 2
        corrupt(offset == 0 or offset > len(out))
        length = 4 + extended(token & 15)
        corrupt(len(out) + length > most)
        for _ in range(length):
            out.append(out[-offset])


def decode_body(body, count, columns):
    corrupt(columns & KEY_NULLS and not columns & KEYS)  # [B-10]
    # [B-8] The tables in their order, with the bytes that each takes before padding.
    tables = [("value_ends", True, 4 * (count + 1))]
    tables.append(("key_ends", columns & KEYS, 4 * (count + 1)))
    tables.append(("header_ends", columns & HEADERS, 4 * (count + 1)))
    tables.append(("times", columns & TIMES, 4 * count))
    tables.append(("ids", columns & IDS, 16 * count))
    tables.append(("deltas", columns & OFFSET_DELTAS, 4 * count))
    tables.append(("value_bits", columns & VALUE_NULLS, (count + 7) // 8))
    tables.append(("key_bits", columns & KEY_NULLS, (count + 7) // 8))
    present = [(name, length) for name, there, length in tables if there]
    at = len(body) - sum(pad8(length) for _, length in present)
    corrupt(at < 0)
    data, table = body[:at], {}
    for name, length in present:
        table[name] = body[at : at + length]
        corrupt(any(body[at + length : at + pad8(length)]))  # [B-15]
        at += pad8(length)

    def words(name):
        raw = table.get(name)
        if raw is None:
            return None
        return [int.from_bytes(raw[i : i + 4], "little") for i in range(0, len(raw), 4)]

    # [B-9] Three regions, one after the other, that fill the data up to its padding.
    regions, begin = {}, 0
    for name in ("value_ends", "key_ends", "header_ends"):
        ends = words(name)
        if ends is None:
            continue
        corrupt(ends[0] != 0 or any(a > b for a, b in zip(ends, ends[1:])))
        regions[name] = [data[begin + a : begin + b] for a, b in zip(ends, ends[1:])]
        begin += ends[-1]
    corrupt(pad8(begin) != len(data) or any(data[begin:]))

    def validity(name, items):
        """[B-10]"""
        bits = table.get(name)
        if bits is None:
            return items
        number = int.from_bytes(bits, "little")
        corrupt(number >> count)
        valid = [number >> i & 1 for i in range(count)]
        corrupt(any(item for item, there in zip(items, valid) if not there))
        return [item if there else None for item, there in zip(items, valid)]

    values = validity("value_bits", regions["value_ends"])
    keys = validity("key_bits", regions["key_ends"]) if columns & KEYS else [None] * count
    headers = [decode_headers(raw) for raw in regions.get("header_ends", [b""] * count)]
    times = words("times") or [0] * count
    deltas = words("deltas")
    if deltas is None:
        deltas = list(range(count))
    corrupt(any(a >= b for a, b in zip(deltas, deltas[1:])))  # [B-14]
    ids = table.get("ids")
    return [
        {
            "offset": deltas[i],
            "time_us": times[i],
            "key": None if keys[i] is None else keys[i].hex(),
            "value": None if values[i] is None else values[i].hex(),
            "headers": headers[i],
            "id": None if ids is None else record_id(ids[16 * i : 16 * i + 16]),
        }
        for i in range(count)
    ]


def record_id(raw):
    return raw.hex() if any(raw) else None  # [B-13]


def decode_headers(raw):
    """[B-11]"""
    reader, headers = Reader(raw), []
    try:
        while reader.left():
            name_len, value_len = reader.number(2), reader.number(4)
            name, value = reader.bytes(name_len), reader.bytes(value_len)
            corrupt(not name)
            headers.append([name.decode("utf-8"), value.hex()])
    except (Refused, UnicodeDecodeError):
        raise Refused("CORRUPT_BATCH") from None
    return headers


# --- vectors ---------------------------------------------------------------------------------


def judge(vector):
    """What is wrong with a vector, or None."""
    data = bytes.fromhex(vector["hex"])
    decoders = {
        "PREFACE": decode_preface,
        "PARTITION": partitions,
        "BATCH": decode_batch,
        "ENCRYPTED_BATCH": decode_encrypted,
    }
    try:
        value = decoders.get(vector["kind"], decode_frame)(data)
    except Refused as refused:
        name = str(refused)
        if vector["class"] == "reject" and vector["error"] == name and name in ERRORS:
            return None
        return f"is refused with {name}, not {vector['class']} {vector['error'] or ''}"
    except ValueError as error:
        return str(error)
    if vector["class"] not in ("roundtrip", "decode"):
        return f"is understood, not refused with {vector['error']}"
    if vector["kind"] in (kind["name"] for kind in KINDS["kind"]):
        header = value["header"]
        kind = KIND_BY_NUMBER.get(header["kind"], {"name": "?"})
        error = header["flags"] & RESPONSE and header["aux"] & 0xFFFF
        if kind["name"] != vector["kind"] or not error and vector["version"] != kind["version"]:
            return f"is a {kind['name']}"
    if without_later(value, vector["value"]) != vector["value"]:
        return f"means\n  {json.dumps(value)}, not\n  {json.dumps(vector['value'])}"
    return None


def without_later(value, frozen):
    """A value without the fields that came after it was frozen [V-2]: it cannot have them."""
    known = frozen.get("fields") if isinstance(frozen, dict) else None
    if not isinstance(known, dict) or not isinstance(value.get("fields"), dict):
        return value
    fields = {name: field for name, field in value["fields"].items() if field is not None or name in known}
    return value | {"fields": fields}


def leaves(value, path=()):
    """The paths to everything that is not a list or an object."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, path + (index,))
    else:
        yield path


def other(leaf):
    """A value that is not this one."""
    if isinstance(leaf, bool):
        return not leaf
    if isinstance(leaf, int):
        return leaf ^ 1
    if isinstance(leaf, str):
        return leaf + "0"
    return "00"


def lies(vector):
    """Copies of a vector that are not true, each with what was changed."""
    size = len(vector["hex"]) // 2
    # The reserved bytes of a preface mean nothing [P-3], so a change there is no lie.
    last = 6 if vector["kind"] == "PREFACE" else size
    if vector["class"] == "reject":
        for error in ("INTERNAL", None):
            yield "another error", vector | {"error": error}
        yield "understood", vector | {"class": "decode"}
        return
    yield "refused", vector | {"class": "reject", "error": "MALFORMED_META", "value": None}
    yield "nothing", vector | {"value": None}
    for at in sorted({0, 1, last // 3, last // 2, last - 2, last - 1} & set(range(last))):
        data = bytearray.fromhex(vector["hex"])
        data[at] ^= 1 << at % 8
        yield f"byte {at}", vector | {"hex": data.hex()}
    if size > 1 and vector["kind"] != "PREFACE":
        yield "cut", vector | {"hex": vector["hex"][:-2]}
    paths = list(leaves(vector["value"]))
    for path in paths[:: max(1, len(paths) // 12)]:
        lie = copy.deepcopy(vector)
        place = lie["value"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = other(place[path[-1]])
        yield f"value at {path}", lie


def main(arguments):
    self_test = "--self-test" in arguments
    files = [pathlib.Path(name) for name in arguments if not name.startswith("-")]
    files = files or sorted(HERE.glob("*/*.json"))
    checked, wrong = 0, 0
    for file in files:
        for vector in json.loads(file.read_text(encoding="utf-8")):
            for what, claim in lies(vector) if self_test else [("", vector)]:
                checked += 1
                problem = judge(claim)
                if self_test and problem is None:
                    wrong += 1
                    print(f"{file.name}: {vector['name']}: a lie went unnoticed: {what}")
                elif not self_test and problem is not None:
                    wrong += 1
                    print(f"{file.name}: {vector['name']} {problem}")
    if not checked:
        print("there are no vectors")
        return 1
    noun = "lies noticed" if self_test else "vectors agree"
    print(f"{checked - wrong} of {checked} {noun}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
