import type { Check } from './check.js';

/** Says what no pack can show of itself. */
export const sayLimits: Check = ({ trust, since }, { checkpoint, witnesses }, found) => {
  if (trust === null) {
    found.unchecked(
      'whose keys these are: a key inside the pack proves nothing, as whoever forges a pack puts in their own; give those that you have from the operator: --trust FILE',
    );
  }
  // Of the whole log: a checkpoint that was kept, or a witness.
  const size = checkpoint?.size ?? 0;
  if (since === null && !witnesses.some((seen) => seen.size >= size)) {
    found.unchecked(
      'whether the log was written anew before this pack was made: give a checkpoint that was kept elsewhere: --since CHECKPOINT',
    );
  }
  found.unchecked(
    'narrative.txt and VERIFY.md: that they are as they were signed is checked, what they say is not: whoever holds the export key can say there what they like',
  );
  found.unchecked(
    'frameworks in meta.json, and there product.version, filter, sources with their queries, and nonCanonical: as narrative.txt',
  );
  return {};
};
