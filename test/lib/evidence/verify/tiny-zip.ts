import { crc32, deflateRawSync } from 'node:zlib';

/** What a hostile zip may say otherwise than a plain one; left out: as it should be. */
export interface TinyEntry {
  name: string | Buffer;
  bytes: Buffer;
  /** The name before the file, where it is another one than in the directory. */
  localName?: string;
  method?: number;
  flags?: number;
  /** Unix mode with the type of the file. */
  mode?: number;
  /** In place of the true size. */
  size?: number;
  extra?: Buffer;
  /** Place of the file before it: the directory names that one. */
  overlap?: boolean;
}

interface TinyZipOptions {
  comment?: string;
  /** Entries that the end tells of. */
  count?: number;
  /** Bytes between directory and end. */
  gap?: Buffer;
}

/** A zip (APPNOTE 4.3), deflated, by hand: with whatever is wrong that no archiver would write. */
export function tinyZip(entries: readonly TinyEntry[], { comment = '', count, gap }: TinyZipOptions = {}): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let [offset, before] = [0, 0];
  // Once where several entries have the same large bytes.
  const known = new Map<Buffer, { deflated: Buffer; crc: number }>();
  const packed = (bytes: Buffer) => {
    const found = known.get(bytes) ?? { deflated: deflateRawSync(bytes), crc: crc32(bytes) };
    known.set(bytes, found);
    return found;
  };
  for (const entry of entries) {
    const { method = 8, flags = 0x800, mode = 0o100644, extra = Buffer.alloc(0), bytes } = entry;
    const name = Buffer.from(entry.name as string);
    const local = entry.localName === undefined ? name : Buffer.from(entry.localName);
    const { deflated, crc } = packed(bytes);
    const data = method === 8 ? deflated : bytes;
    const common = Buffer.alloc(22);
    common.writeUInt16LE(flags, 0);
    common.writeUInt16LE(method, 2);
    common.writeUInt16LE(0x21, 6);
    common.writeUInt32LE(crc, 8);
    common.writeUInt32LE(data.length, 12);
    common.writeUInt32LE(entry.size ?? bytes.length, 16);
    const lengths = (...all: number[]) => Buffer.from(new Uint16Array(all).buffer);
    const head = Buffer.concat([
      Buffer.from('PK\x03\x04\x14\0', 'latin1'),
      common.subarray(0, 20),
      lengths(local.length, 0),
      local,
    ]);
    files.push(head, data);
    const rest = Buffer.alloc(8);
    rest.writeUInt32LE(mode * 65_536, 0);
    rest.writeUInt32LE(entry.overlap === true ? before : offset, 4);
    const sizes = [common.subarray(0, 20), lengths(name.length, extra.length, 0, 0, 0), rest, name, extra];
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03\x14\0', 'latin1'), ...sizes]));
    before = offset;
    offset += head.length + data.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(count ?? entries.length, 8);
  end.writeUInt16LE(count ?? entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...files, listed, gap ?? Buffer.alloc(0), end, Buffer.from(comment)]);
}
