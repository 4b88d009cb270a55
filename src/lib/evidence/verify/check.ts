import type { VerifiedCheckpoint } from '../formats/index.js';
import type { TrustedKey } from '../keys/index.js';
import type { Completeness, CompletenessFrame } from './completeness.js';
import type { FactCheck } from './facts.js';
import type { HashedFiles } from './files.js';
import type { PackMeta } from './meta.js';
import type { EvidenceFindings } from './report.js';
import type { PackKeys } from './signatures.js';
import type { ConsistencyProof, Earlier } from './since.js';
import type { PackStatement } from './statement.js';
import type { Sum } from './sums.js';
import type { PackTree } from './tree.js';
import type { Witnessed } from './witness.js';

/** What is verified, and against what. */
export interface PackInput {
  readonly files: HashedFiles;
  /** Keys that somebody chose to trust; null: none were given. */
  readonly trust: readonly TrustedKey[] | null;
  readonly since: Buffer | null;
  readonly prove: ConsistencyProof | null;
}

/** What the checks so far have established. Null: not read yet, or refused; the finding says why. */
export interface Established {
  readonly sumsFile: Buffer | null;
  readonly sums: readonly Sum[] | null;
  /** The keys inside the pack. */
  readonly keys: PackKeys | null;
  readonly statement: PackStatement | null;
  readonly checkpoint: VerifiedCheckpoint | null;
  readonly meta: PackMeta | null;
  /** Opened, and read on while the entries are. */
  readonly completeness: Completeness | null;
  readonly witnesses: Witnessed[];
  /** The checkpoint given with --since. */
  readonly earlier: Earlier | null;
  readonly frame: CompletenessFrame | null;
  readonly entries: CheckedEntries | null;
}

/** The entries, once all of them have been read. */
export interface CheckedEntries {
  readonly counts: { events: number; omitted: number; observations: number };
  readonly facts: FactCheck;
  readonly tree: PackTree;
  /** The checkpoint whose root the tree has; null: there is none. */
  readonly root: VerifiedCheckpoint | null;
}

/**
 * One check of a pack: from what earlier checks established to what this one does. What it finds goes to `found`, and where
 * it depends on something that was not established, it returns nothing.
 * @throws LukhasError VERIFICATION: a problem that ends this check, not the others
 */
export type Check = (
  pack: PackInput,
  known: Established,
  found: EvidenceFindings,
) => Partial<Established> | Promise<Partial<Established>>;

export const NOTHING_YET: Established = {
  sumsFile: null,
  sums: null,
  keys: null,
  statement: null,
  checkpoint: null,
  meta: null,
  completeness: null,
  witnesses: [],
  earlier: null,
  frame: null,
  entries: null,
};

const KIB = 1024;
/** The most bytes of a file that is read as a whole. */
export const MAX_BYTES = {
  small: 64 * KIB,
  checkpoint: KIB * KIB,
  large: 256 * KIB * KIB,
  /** Each decision takes some 300 bytes of the statement: enough for three million. */
  statement: 1024 * KIB * KIB,
} as const;
