import { LukhasError } from '../lib/errors.js';
import type { Policy } from '../lib/judge/index.js';
import type { Ledger, StoredEvent } from '../lib/ledger/index.js';
import { Turns } from '../lib/turns.js';

/** A policy that a canary was judged by; the id is the sha256 of its canonical bytes, hex. */
export interface RecordedPolicy {
  id: string;
  policy: Policy;
}

/** A shorter prefix of a digest is not accepted. */
const SHORTEST_PREFIX = 6;
/** Requests read at once. */
const PAGE = 500;

/** The policies in the log, by the digests that canaries name. Cached for good: a digest always means the same policy. */
export class Policies {
  private readonly known = new Map<string, Policy>();
  /** seq of the first entry that was not read yet. */
  private next = 0;

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
    const newest = await this.ledger.events({ kinds: ['canary.requested'], newest: true, limit: limit * 10 });
    for (const request of newest.reverse()) {
      ids.add(this.digestOf(request));
      if (ids.size >= limit) break;
    }
    return [...ids].map((id) => ({ id, policy: this.known.get(id)! }));
  }

  private async find(prefix: string): Promise<RecordedPolicy | undefined> {
    if (prefix.length < SHORTEST_PREFIX) return undefined;
    await this.readNew();
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

  /** Requests of canaries that were not read before, from the log itself. */
  private async readNew(): Promise<void> {
    const turns = new Turns();
    for (;;) {
      await turns.next();
      const requests = await this.ledger.events({ kinds: ['canary.requested'], from: this.next, limit: PAGE });
      for (const request of requests) this.digestOf(request);
      const last = requests.at(-1);
      if (last === undefined) return;
      this.next = Math.max(this.next, last.seq + 1);
    }
  }

  private digestOf(request: StoredEvent): string {
    if (request.kind !== 'canary.requested') throw new Error(`entry ${request.seq} is not a request`);
    const { policyDigest, policy } = request.data;
    this.known.set(policyDigest, policy);
    return policyDigest;
  }
}
