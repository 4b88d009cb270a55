import { LukhasError } from '../../errors.js';
import type { Checkpoints, KeptCheckpoint } from '../checkpoints/index.js';
import type { NoteSignature } from '../formats/index.js';
import { cosignedAt } from '../formats/index.js';
import { cosignatureVerifiers } from '../keys/index.js';
import { anchor } from './anchor.js';
import { type AnchorContext, type AnchorTarget, anchorPlace } from './target.js';
import { askWitness, OtherHistory, type WitnessPeer } from './witness-client.js';

/** Where checkpoints are published. */
export interface Publication {
  witnesses: readonly WitnessPeer[];
  anchors: readonly AnchorTarget[];
}

export interface PublishResult {
  kind: 'witness' | AnchorTarget['kind'];
  place: string;
  /** What was done; null when it failed. */
  done: string | null;
  error: LukhasError | null;
}

/**
 * Has the witnesses cosign a kept checkpoint, then publishes it with their cosignatures to the anchors. A failure does not stop the
 * others. A checkpoint that a witness refuses as a different history is set aside and no longer used; the anchors get it all the
 * same, because they are there to remember.
 * @returns the checkpoint as it is kept now, the results in the order given, and whether it was set aside
 * @throws LukhasError CONFIG when it cannot be kept; any error that is not a LukhasError
 */
export async function publish(
  checkpoints: Checkpoints,
  made: KeptCheckpoint,
  { witnesses, anchors }: Publication,
  context: Omit<AnchorContext, 'folder' | 'owner'>,
): Promise<{ checkpoint: KeptCheckpoint; results: PublishResult[]; refused: boolean }> {
  const asked = await Promise.all(witnesses.map((peer) => cosigned(checkpoints, made, peer, context.signal)));
  const signatures = asked.flatMap(({ signature }) => signature ?? []);
  const keys = cosignatureVerifiers(witnesses.map(({ key }) => key));
  const checkpoint = signatures.length === 0 ? made : await checkpoints.addSignatures(made.size, signatures, keys);
  const refused = asked.some(({ result }) => result.error instanceof OtherHistory);
  if (refused) await checkpoints.setAside(made.size);
  const where = { ...context, folder: checkpoints.folder, owner: checkpoints.owner };
  const anchored = await Promise.all(
    anchors.map((target) =>
      attempt({ kind: target.kind, place: anchorPlace(target) }, () => anchor(target, checkpoint, where)),
    ),
  );
  return { checkpoint, refused, results: [...asked.map(({ result }) => result), ...anchored] };
}

async function cosigned(
  checkpoints: Checkpoints,
  made: KeptCheckpoint,
  peer: WitnessPeer,
  signal: AbortSignal | undefined,
): Promise<{ result: PublishResult; signature: NoteSignature | null }> {
  let signature: NoteSignature | null = null;
  const result = await attempt({ kind: 'witness', place: peer.url }, async () => {
    // A cosignature on an empty log proves nothing, but would be taken for one that does.
    if (made.size === 0) return 'not asked: the log has no entries yet';
    const [witness] = cosignatureVerifiers([peer.key]);
    const oldSize = witness === undefined ? 0 : await checkpoints.lastCosignedBy(witness);
    const proof = (from: number) => checkpoints.proof(from, made.size);
    signature = await askWitness(peer, { checkpoint: made, oldSize, proof, signal });
    return `cosigned by ${peer.key.name} at ${cosignedAt(signature)}`;
  });
  return { result, signature };
}

async function attempt(who: Pick<PublishResult, 'kind' | 'place'>, act: () => Promise<string>): Promise<PublishResult> {
  try {
    return { ...who, done: await act(), error: null };
  } catch (error) {
    if (error instanceof LukhasError) return { ...who, done: null, error };
    throw error;
  }
}
