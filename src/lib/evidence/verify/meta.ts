import * as z from 'zod';
import { parseInput } from '../../input/index.js';
import { refused } from '../formats/index.js';
import { parseCanonical } from './canonical.js';
import { MemberNames } from './members.js';

const count = z.int().min(0);
const text = z.string().min(1);

/** The members that the verifier compares; all others are in `unknown`. */
const metaSchema = z.object({
  format: z.literal('lukhas-evidence/1'),
  product: z.object({ name: z.literal('lukhas'), version: text }),
  log: z.strictObject({ origin: text, size: count, root: text }),
  window: z.strictObject({
    from: count,
    to: count,
    firstTs: z.string().nullable(),
    lastTs: z.string().nullable(),
  }),
  filter: z.strictObject({ models: z.array(text).nullable(), include: z.array(text).nullable() }),
  counts: z.strictObject({
    events: count,
    omitted: count,
    observations: count,
    observationsMissing: z.array(z.strictObject({ canaryId: text, count: z.int().min(1) })),
    policies: count,
  }),
  judges: z.array(z.int()),
  /** How audits.csv is written; packs of older versions do not say. */
  csv: z.strictObject({ form: z.literal(2), bom: z.boolean() }).optional(),
  unreviewed: z.array(z.strictObject({ seq: count, canaryId: text })),
  keys: z.strictObject({
    log: z.strictObject({ fingerprint: text, vkey: text }),
    export: z.strictObject({ fingerprint: text }),
  }),
});

export type PackMeta = z.output<typeof metaSchema> & {
  /** Paths of members that nothing in the pack can be compared with. */
  unknown: readonly string[];
};

/** @throws LukhasError VERIFICATION: not canonical, another format, or a field that is wrong */
export function parseMeta(bytes: Buffer): PackMeta {
  const end = bytes.length - 1;
  const value = bytes[end] === 0x0a ? parseCanonical(bytes.subarray(0, end)) : undefined;
  if (value === undefined) throw refused('meta.json: is not canonical JSON (RFC 8785) with a final newline');
  const meta = parseInput(metaSchema, value, 'meta.json', 'VERIFICATION');
  const names = new MemberNames();
  names.addUnread(value, meta);
  return { ...meta, unknown: names.list() };
}
