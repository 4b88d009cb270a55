/** Checks of the log's history: what witnesses, and whoever kept a checkpoint, have seen of it. */
import { type Check, MAX_BYTES } from './check.js';
import { WITNESS_FILE } from './files.js';
import { checkSince, claimedEarlier } from './since.js';
import { checkWitnesses, cosignedText, witnessedBy } from './witness.js';

export const checkCosignatures: Check = async ({ files, trust }, { keys, checkpoint, completeness }, found) => {
  if (keys === null) return {};
  if (checkpoint === null || completeness === null) {
    const missing = checkpoint === null ? 'checkpoint' : 'completeness.json';
    found.unchecked(`witness cosignatures: no valid ${missing} to compare with`);
    return {};
  }
  const log = { origin: keys.log.name, key: keys.log, trust };
  const there = files.names.includes(WITNESS_FILE);
  const bytes = there ? await files.whole(WITNESS_FILE, MAX_BYTES.checkpoint) : null;
  return { witnesses: checkWitnesses(bytes, { checkpoint, from: completeness.from, log }, found) };
};

/** The checkpoint given with --since: before the entries, so that the root at its size is noted while they are read. */
export const readEarlier: Check = ({ since, trust }, { keys }, found) => {
  if (since === null || keys === null) return {};
  const earlier = claimedEarlier(since, { origin: keys.log.name, key: keys.log, trust });
  for (const seen of witnessedBy(earlier)) found.holds(cosignedText(seen, '--since checkpoint'));
  return { earlier };
};

export const checkEarlier: Check = async ({ prove }, { earlier, entries }, found) => {
  if (earlier === null || entries === null) return {};
  const { root: checkpoint, tree } = entries;
  if (checkpoint === null)
    found.notShown("--since: not compared, because the pack's entries do not match its checkpoint");
  else await checkSince(earlier, { checkpoint, tree, prove }, found);
  return {};
};
