import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

/** Fields of a header, as they are written; every one may be a lie. */
interface Fields {
  signature: string;
  version: number;
  flags: number;
  method: number;
  time: number;
  date: number;
  crc: number;
  compressed: number;
  size: number;
  name: Buffer;
  extra: Buffer;
}

export interface ForgedFile {
  before: Buffer;
  local: Fields;
  data: Buffer;
  /** What follows the data. */
  descriptor: Buffer;
  after: Buffer;
  central: Fields & { madeBy: number; comment: Buffer; disk: number; internal: number; external: number };
  /** Place of the local header that the directory names, less the true one. */
  shift: number;
  /** Whether the directory has it. */
  listed: boolean;
}

export interface ForgedZip {
  files: ForgedFile[];
  /** Before the directory, and between it and the end. */
  gap: Buffer;
  beforeEnd: Buffer;
  /** Behind everything. */
  tail: Buffer;
  /** Order of the directory, where it is another one. */
  order: ((files: ForgedFile[]) => ForgedFile[]) | null;
  end: Partial<Record<'disk' | 'startDisk' | 'onDisk' | 'count' | 'size' | 'start', number>> & { comment: Buffer };
  /** In place of nothing: records of zip64 for these true values. */
  zip64: ((count: number, size: number, start: number, at: number) => Buffer) | null;
}

const NONE = Buffer.alloc(0);

export function u16(...values: number[]): Buffer {
  return Buffer.from(new Uint16Array(values).buffer);
}
export function u32(...values: number[]): Buffer {
  return Buffer.from(new Uint32Array(values).buffer);
}
export function u64(...values: number[]): Buffer {
  return Buffer.from(new BigUint64Array(values.map(BigInt)).buffer);
}

/** Sizes after the data, as packs have them, or in the header before it, as `zip -X` writes them. */
export type Form = 'described' | 'plain' | 'stored';

export function forgedFile(name: string, bytes: Buffer, form: Form): ForgedFile {
  const described = form === 'described';
  const data = form === 'stored' ? bytes : deflateRawSync(bytes);
  const fields = {
    version: 20,
    flags: described ? 8 : 0,
    method: form === 'stored' ? 0 : 8,
    time: 0,
    date: 0x21,
    crc: crc32(bytes),
    compressed: data.length,
    size: bytes.length,
    name: Buffer.from(name),
    extra: NONE,
  };
  const { crc, compressed, size } = fields;
  return {
    before: NONE,
    local: { ...fields, signature: 'PK\x03\x04', ...(described ? { crc: 0, compressed: 0, size: 0 } : {}) },
    data,
    descriptor: described ? Buffer.concat([Buffer.from('PK\x07\x08'), u32(crc, compressed, size)]) : NONE,
    after: NONE,
    central: {
      ...fields,
      signature: 'PK\x01\x02',
      madeBy: 0x032d,
      comment: NONE,
      disk: 0,
      internal: 0,
      external: 0o100644 * 65_536,
    },
    shift: 0,
    listed: true,
  };
}

/** The true zip of these files; change it before it is written. */
export function forgedZip(files: Iterable<readonly [string, Buffer]>, form: Form): ForgedZip {
  const all = [...files].map(([name, bytes]) => forgedFile(name, bytes, form));
  return { files: all, gap: NONE, beforeEnd: NONE, tail: NONE, order: null, end: { comment: NONE }, zip64: null };
}

export function writeForged(zip: ForgedZip): Buffer {
  const parts: Buffer[] = [];
  const places = new Map<ForgedFile, number>();
  let at = 0;
  const put = (...bytes: Buffer[]) => {
    for (const each of bytes) {
      parts.push(each);
      at += each.length;
    }
  };
  for (const file of zip.files) {
    put(file.before);
    places.set(file, at + file.shift);
    put(Buffer.from(file.local.signature, 'latin1'), u16(file.local.version), common(file.local));
    put(u16(file.local.name.length, file.local.extra.length), file.local.name, file.local.extra);
    put(file.data, file.descriptor, file.after);
  }
  put(zip.gap);
  const start = at;
  const listed = (zip.order ?? ((all) => all))(zip.files).filter((file) => file.listed);
  for (const file of listed) {
    const { central: c } = file;
    put(Buffer.from(c.signature, 'latin1'), u16(c.madeBy, c.version), common(c));
    put(u16(c.name.length, c.extra.length, c.comment.length, c.disk, c.internal), u32(c.external));
    put(u32(places.get(file)!), c.name, c.extra, c.comment);
  }
  const size = at - start;
  put(zip.beforeEnd);
  if (zip.zip64 !== null) put(zip.zip64(listed.length, size, start, at));
  const { disk = 0, startDisk = 0, count = listed.length, onDisk = count, comment } = zip.end;
  put(Buffer.from('PK\x05\x06'), u16(disk, startDisk, onDisk, count));
  put(u32(zip.end.size ?? size, zip.end.start ?? start), u16(comment.length), comment, zip.tail);
  return Buffer.concat(parts);
}

function common({ flags, method, time, date, crc, compressed, size }: Fields): Buffer {
  return Buffer.concat([u16(flags, method, time, date), u32(crc, compressed, size)]);
}

/** Records of zip64 that say the truth, unless told otherwise. */
export function zip64Records(
  lie: Partial<Record<'count' | 'size' | 'start' | 'at', number>> = {},
): NonNullable<ForgedZip['zip64']> {
  return (count, size, start, at) =>
    Buffer.concat([
      Buffer.from('PK\x06\x06'),
      u64(44),
      u16(45, 45),
      u32(0, 0),
      u64(lie.count ?? count, lie.count ?? count, lie.size ?? size, lie.start ?? start),
      Buffer.from('PK\x06\x07'),
      u32(0),
      u64(lie.at ?? at),
      u32(1),
    ]);
}

/** What a reader that knows no directory unpacks: from the first byte on, as long as there are headers. The last of a name counts. */
export function streamed(zip: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; zip.toString('latin1', at, at + 4) === 'PK\x03\x04'; ) {
    const [flags, method] = [zip.readUInt16LE(at + 6), zip.readUInt16LE(at + 8)];
    const names = at + 30 + zip.readUInt16LE(at + 26);
    const data = names + zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 30, names);
    const stored = zip.readUInt32LE(at + 18);
    if (method === 0) {
      files.set(name, zip.subarray(data, data + stored));
      at = data + stored;
    } else {
      const { buffer, engine } = inflateRawSync(zip.subarray(data), { info: true }) as unknown as {
        buffer: Buffer;
        engine: { bytesWritten: number };
      };
      files.set(name, buffer);
      at = (flags & 8) === 0 ? data + stored : data + engine.bytesWritten + 16;
    }
  }
  return files;
}
