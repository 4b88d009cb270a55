import { hash } from 'node:crypto';
import { LukhasError } from '../../errors.js';
import type { LinePage } from '../../ledger/index.js';
import type { CompactRange } from './compact-range.js';

const NEWLINE = 0x0a;
const LEAF = 0x00;

/**
 * Hashes the entries of a page from their bytes and appends them; for omitted entries, appends the stored hashes.
 * @param ending of each line of the page
 * @throws LukhasError LEDGER_CORRUPT when the page has more or fewer lines than entries
 */
export function appendPage(range: CompactRange, { from, to, bytes, omitted }: LinePage, ending: '\n' | ',\n'): void {
  let start = 0;
  let left = 0;
  for (let seq = from; seq < to; seq++) {
    const out = omitted[left];
    if (out?.seq === seq) {
      range.append(out.hash);
      left++;
      continue;
    }
    const newline = bytes.indexOf(NEWLINE, start);
    if (newline < 0) throw notAsRecorded(seq);
    range.append(leafAt(bytes, start, newline + 1 - ending.length));
    start = newline + 1;
  }
  if (start !== bytes.length) throw notAsRecorded(to - 1);
}

/**
 * SHA-256(0x00 || line). The newline before the line is overwritten by the prefix for a moment: copying each line would cost
 * as much as hashing it.
 */
function leafAt(bytes: Buffer, start: number, end: number): Buffer {
  if (start === 0) return sha256(Buffer.concat([Buffer.from([LEAF]), bytes.subarray(0, end)]));
  bytes[start - 1] = LEAF;
  const leaf = sha256(bytes.subarray(start - 1, end));
  bytes[start - 1] = NEWLINE;
  return leaf;
}

/** Through a string, as in merkle.ts: a digest returned as a Buffer is slower. */
function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

function notAsRecorded(seq: number): LukhasError {
  return new LukhasError('LEDGER_CORRUPT', `Entry ${seq} of the log is not one line of JSON`, {
    suggestions: ['See what is damaged with `lukhas verify --db`.'],
  });
}
