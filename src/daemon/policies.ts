import { LukhasError } from '../lib/errors.js';
import type { Policy } from '../lib/judge/index.js';
import type { Ledger } from '../lib/ledger/index.js';

/** A policy that a canary was judged by; the id is the sha256 of its canonical bytes, hex. */
export interface RecordedPolicy {
  id: string;
  policy: Policy;
}

/** Fewer characters of a digest are not taken for it. */
const SHORTEST_PREFIX = 6;

/** The policies of the log, as its canaries name them. What was read once is kept: a digest never changes its meaning. */
export class Policies {
  private readonly known = new Map<string, Policy>();
  private readonly read = new Map<string, string>();

  constructor(private readonly ledger: Ledger) {}

  /** @throws LukhasError NOT_FOUND, AMBIGUOUS_ID */
  async get(prefix: string): Promise<RecordedPolicy> {
    const exact = this.known.get(prefix);
    const found = exact === undefined ? await this.find(prefix) : { id: prefix, policy: exact };
    if (found !== undefined) return found;
    throw new LukhasError('NOT_FOUND', `No canary of this log was judged by a policy ${JSON.stringify(prefix)}.`, {
      suggestions: ['The id of a policy is its sha256 in hex, or the first characters of it.'],
    });
  }

  /** The newest first, each once. */
  async list(limit: number): Promise<RecordedPolicy[]> {
    const ids = new Set<string>();
    for (const { subject } of await this.ledger.summaries({ type: 'canary', limit: limit * 10 })) {
      ids.add(await this.digestOf(subject));
      if (ids.size >= limit) break;
    }
    return [...ids].map((id) => ({ id, policy: this.known.get(id)! }));
  }

  private async find(prefix: string): Promise<RecordedPolicy | undefined> {
    if (prefix.length < SHORTEST_PREFIX) return undefined;
    for (const { subject } of await this.ledger.summaries({ type: 'canary' })) await this.digestOf(subject);
    const ids = [...this.known.keys()].filter((id) => id.startsWith(prefix));
    if (ids.length > 1)
      throw new LukhasError('AMBIGUOUS_ID', `${JSON.stringify(prefix)} stands for ${ids.length} policies.`, {
        suggestions: ['Give more characters of the id.'],
      });
    const [id] = ids;
    return id === undefined ? undefined : { id, policy: this.known.get(id)! };
  }

  private async digestOf(canaryId: string): Promise<string> {
    const seen = this.read.get(canaryId);
    if (seen !== undefined) return seen;
    const [event] = await this.ledger.events({ subject: canaryId, kinds: ['canary.requested'], limit: 1 });
    if (event?.kind !== 'canary.requested')
      throw new LukhasError('LEDGER_CORRUPT', `The listing has a canary ${canaryId} that the log does not know.`, {
        suggestions: ['See what is damaged with `lukhas verify --db`.'],
      });
    const { policyDigest, policy } = event.data;
    this.read.set(canaryId, policyDigest);
    this.known.set(policyDigest, policy);
    return policyDigest;
  }
}
