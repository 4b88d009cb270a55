import { LukhasError } from '../errors.js';
import { anchor } from './anchor.js';
import { type AnchorContext, type AnchorTarget, anchorPlace } from './anchor-target.js';
import type { Checkpoints, KeptCheckpoint } from './checkpoints.js';
import { cosignatureTime, cosignatureVerifier } from './cosignature.js';
import type { NoteSignature } from './note.js';
import { askWitness, type WitnessPeer } from './witness-client.js';

/** Whom checkpoints are told to. */
export interface Publication {
  witnesses: readonly WitnessPeer[];
  anchors: readonly AnchorTarget[];
}

export interface Told {
  kind: 'witness' | AnchorTarget['kind'];
  place: string;
  /** What was done; null when it has failed. */
  done: string | null;
  error: LukhasError | null;
}

/**
 * Has the witnesses cosign a kept checkpoint, then tells it, with their cosignatures, to the anchors. One that fails keeps no other back.
 * @returns the checkpoint as it is kept now, and what came of each, in the order given
 * @throws what is no LukhasError
 */
export async function publish(
  checkpoints: Checkpoints,
  made: KeptCheckpoint,
  { witnesses, anchors }: Publication,
  context: Omit<AnchorContext, 'folder'>,
): Promise<{ checkpoint: KeptCheckpoint; told: Told[] }> {
  const asked = await Promise.all(witnesses.map((peer) => cosigned(checkpoints, made, peer, context.signal)));
  const signatures = asked.flatMap(({ signature }) => signature ?? []);
  const checkpoint = await checkpoints.addSignatures(made.size, signatures);
  const where = { ...context, folder: checkpoints.folder };
  const anchored = await Promise.all(
    anchors.map((target) =>
      attempt({ kind: target.kind, place: anchorPlace(target) }, () => anchor(target, checkpoint, where)),
    ),
  );
  return { checkpoint, told: [...asked.map(({ told }) => told), ...anchored] };
}

async function cosigned(
  checkpoints: Checkpoints,
  made: KeptCheckpoint,
  peer: WitnessPeer,
  signal: AbortSignal | undefined,
): Promise<{ told: Told; signature: NoteSignature | null }> {
  let signature: NoteSignature | null = null;
  const told = await attempt({ kind: 'witness', place: peer.url }, async () => {
    const oldSize = await checkpoints.lastCosignedBy(cosignatureVerifier(peer.key));
    const proof = (from: number) => checkpoints.proof(from, made.size);
    signature = await askWitness(peer, { checkpoint: made, oldSize, proof, signal });
    return `cosigned by ${peer.key.name} at ${new Date(cosignatureTime(signature) * 1000).toISOString()}`;
  });
  return { told, signature };
}

async function attempt(who: Pick<Told, 'kind' | 'place'>, tell: () => Promise<string>): Promise<Told> {
  try {
    return { ...who, done: await tell(), error: null };
  } catch (error) {
    if (error instanceof LukhasError) return { ...who, done: null, error };
    throw error;
  }
}
