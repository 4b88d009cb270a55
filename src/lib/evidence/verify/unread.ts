import { looksCosigned, type VerifiedCheckpoint } from '../formats/index.js';
import type { EvidenceFindings } from './report.js';

/**
 * Reports what a verified checkpoint holds besides origin, size, root and verified signatures.
 * @param what names the checkpoint
 * @param also cosignatures: true where nothing else reports those by other keys
 */
export function reportUnread(
  { extensions, unknown }: VerifiedCheckpoint,
  what: string,
  found: EvidenceFindings,
  also = false,
): void {
  if (extensions.length > 0)
    found.unchecked(
      `${what}: lines after its root (${extensions.length}): signed, but what they say is not known here`,
    );
  const others = unknown.filter((signature) => also || !looksCosigned(signature)).map(({ name }) => name);
  if (others.length > 0)
    found.unchecked(`${what}: signatures by ${others.join(', ')}: not by an accepted key of the log, not verified`);
}
