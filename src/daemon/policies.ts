import { LukhasError } from '../lib/errors.js';
import type { Policy } from '../lib/judge/index.js';
import type { Ledger } from '../lib/ledger/index.js';

/** A policy that a canary was judged by; the id is the sha256 of its canonical bytes, hex. */
export interface RecordedPolicy {
  id: string;
  policy: Policy;
}

/** A shorter prefix of a digest is not accepted. */
const SHORTEST_PREFIX = 6;

/** The policies in the log, by the digests that canaries name. Cached for good: a digest always means the same policy. */
export class Policies {
  private readonly known = new Map<string, Policy>();
  private readonly read = new Map<string, string>();

  constructor(private readonly ledger: Ledger) {}

  /** @throws LukhasError NOT_FOUND, AMBIGUOUS_ID */
  async get(prefix: string): Promise<RecordedPolicy> {
    const exact = this.known.get(prefix);
    const found = exact === undefined ? await this.find(prefix) : { id: prefix, policy: exact };
    if (found !== undefined) return found;
    throw new LukhasError('NOT_FOUND', `Policy ${JSON.stringify(prefix)} not found.`, {
      suggestions: [
        `Pass the sha256 of a policy that a canary in this log uses, in hex, or its first ${SHORTEST_PREFIX} or more characters.`,
      ],
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
      throw new LukhasError(
        'AMBIGUOUS_ID',
        `Policy ${JSON.stringify(prefix)} is ambiguous: ${ids.length} ids start with it.`,
        {
          suggestions: ['Give more characters of the id.'],
        },
      );
    const [id] = ids;
    return id === undefined ? undefined : { id, policy: this.known.get(id)! };
  }

  private async digestOf(canaryId: string): Promise<string> {
    const seen = this.read.get(canaryId);
    if (seen !== undefined) return seen;
    const [event] = await this.ledger.events({ subject: canaryId, kinds: ['canary.requested'], limit: 1 });
    if (event?.kind !== 'canary.requested')
      throw new LukhasError('LEDGER_CORRUPT', `The list of canaries contains ${canaryId}, but the log does not.`, {
        suggestions: ['Run `lukhas verify --db PATH` to see what is damaged.'],
      });
    const { policyDigest, policy } = event.data;
    this.read.set(canaryId, policyDigest);
    this.known.set(policyDigest, policy);
    return policyDigest;
  }
}
