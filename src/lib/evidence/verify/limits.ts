import type { EvidenceFindings } from './report.js';

/**
 * Says what no pack can show of itself.
 * @param trusted keys were given
 * @param earlier somebody else's word on the whole of the log was given: a kept checkpoint, or a witness's
 */
export function sayLimits(
  { trusted, earlier }: { trusted: boolean; earlier: boolean },
  found: Pick<EvidenceFindings, 'unchecked'>,
): void {
  if (!trusted) {
    found.unchecked(
      'whose keys these are: a key inside the pack proves nothing, as whoever forges a pack puts in their own; give those that you have from the operator: --trust FILE',
    );
  }
  if (!earlier) {
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
}
