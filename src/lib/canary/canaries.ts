import { createHash } from 'node:crypto';
import { type Clock, timestamp } from '../clock.js';
import { LukhasError } from '../errors.js';
import { parseName } from '../gates/registry.js';
import type { Policy } from '../judge/policy.js';
import type { Verdict } from '../judge/verdict.js';
import { canonicalJson } from '../ledger/canonical.js';
import type { Actor, EventDraft } from '../ledger/events.js';
import type { Head, HeadFilter, Ledger } from '../ledger/ledger.js';
import type { SourceDescriptor } from '../metrics/source.js';
import { foldHeads } from './heads.js';
import { newCanaryId } from './ids.js';
import { loadCanary } from './load.js';
import { applyEvent, assertAllowed, type Canary, headOf } from './state.js';

export interface StartRequest {
  modelId: string;
  fromGate: string;
  toGate: string;
  policy: Policy;
  source: SourceDescriptor;
  dryRun: boolean;
  by: Actor;
}

/** Fewer characters of an id are not taken for it: they stand for whatever canary happens to be alone in the log. */
const SHORTEST_PREFIX = 6;

/** The verbs on canaries that a person or a program asks for; a Runner does the watching. */
export class Canaries {
  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  /** Records the request; the canary is PENDING until a driver takes its first look. */
  async start(request: StartRequest): Promise<Canary> {
    const modelId = parseName('model', request.modelId);
    const fromGate = parseName('gate', request.fromGate);
    const toGate = parseName('gate', request.toGate);
    if (fromGate === toGate)
      throw new LukhasError('USAGE', `A canary goes from one gate to another: both are "${fromGate}".`);
    const now = this.clock.now();
    return this.append(null, {
      kind: 'canary.requested',
      subject: newCanaryId(now),
      ts: timestamp(now),
      data: {
        modelId,
        fromGate,
        toGate,
        policy: request.policy,
        policyDigest: createHash('sha256').update(canonicalJson(request.policy, 'policy')).digest('hex'),
        source: { ...request.source },
        dryRun: request.dryRun,
        requestedBy: request.by,
      },
    });
  }

  /** @throws LukhasError NOT_FOUND */
  async get(id: string): Promise<Canary> {
    return loadCanary(this.ledger, id);
  }

  /**
   * A canary with its verdict: the one that decided it, or how it stands by what was last recorded.
   * @throws LukhasError NOT_FOUND
   */
  async now(id: string): Promise<{ canary: Canary; verdict: Verdict | null }> {
    // The judge is loaded when there is something to judge: listings start sooner without it.
    return (await import('./standing.js')).standing(this.ledger, id);
  }

  /**
   * The id that a unique prefix of at least 6 characters, or the whole id, stands for.
   * @throws LukhasError NOT_FOUND, AMBIGUOUS_ID; USAGE when a shorter prefix begins the id of any canary
   */
  async resolve(prefix: string): Promise<string> {
    const heads = (await this.ledger.findHeads(prefix)).filter((h) => h.type === 'canary');
    const exact = heads.find((h) => h.subject === prefix);
    if (exact) return exact.subject;
    if (heads.length > 0 && prefix.length < SHORTEST_PREFIX)
      throw new LukhasError(
        'USAGE',
        `${JSON.stringify(prefix)} is too short to name a canary: give at least ${SHORTEST_PREFIX} characters of the id.`,
        { suggestions: ['List them: lukhas canary list'] },
      );
    if (heads.length === 1) return heads[0]!.subject;
    if (heads.length === 0)
      throw new LukhasError('NOT_FOUND', `No canary ${JSON.stringify(prefix)} in this log.`, {
        suggestions: ['List them: lukhas canary list', 'Is it in another database? Pass --db or set LUKHAS_MCP_DB.'],
      });
    const some = heads.slice(0, 5).map((h) => h.subject);
    throw new LukhasError(
      'AMBIGUOUS_ID',
      `${JSON.stringify(prefix)} stands for ${heads.length} canaries: ${some.join(', ')}…`,
      {
        suggestions: ['Give more characters of the id.'],
      },
    );
  }

  async list(filter: Omit<HeadFilter, 'type'>): Promise<Head[]> {
    return this.ledger.heads({ ...filter, type: 'canary' });
  }

  /** Drops every listing row and derives it from the log again. @returns how many there are */
  async rebuild(): Promise<number> {
    return this.ledger.rebuildHeads(foldHeads);
  }

  /** Ends a PENDING or RUNNING canary. @throws LukhasError ILLEGAL_TRANSITION */
  async abort(id: string, by: Actor, reason: string): Promise<Canary> {
    return this.decideByHand(id, 'canary.aborted', by, reason);
  }

  /** Promotes a BLOCKED canary as an override. @throws LukhasError ILLEGAL_TRANSITION */
  async override(id: string, by: Actor, reason: string): Promise<Canary> {
    return this.decideByHand(id, 'canary.overridden', by, reason);
  }

  /** Has the failed hooks of a decision called again by the next driver. @throws LukhasError ILLEGAL_TRANSITION */
  async retry(id: string, by: Actor): Promise<Canary> {
    return this.appendAllowed(id, (canary, ts) => {
      const action = canary.action.kind;
      if (action === null || canary.action.state !== 'failed')
        throw new LukhasError(
          'ILLEGAL_TRANSITION',
          `Canary ${id} has no failed hook: its action is ${canary.action.state}.`,
        );
      return { kind: 'canary.retried', subject: id, ts, data: { by, action } };
    });
  }

  private async decideByHand(
    id: string,
    kind: 'canary.aborted' | 'canary.overridden',
    by: Actor,
    reason: string,
  ): Promise<Canary> {
    if (reason.trim() === '')
      throw new LukhasError('USAGE', 'A reason is needed: it is kept in the log.', { suggestions: ['--reason "..."'] });
    return this.appendAllowed(id, (canary, ts) => {
      assertAllowed(canary, kind);
      return { kind, subject: id, ts, data: { by, reason: reason.trim() } };
    });
  }

  private async appendAllowed(id: string, draft: (canary: Canary, ts: string) => EventDraft): Promise<Canary> {
    for (let attempt = 0; ; attempt++) {
      const canary = await loadCanary(this.ledger, id);
      const event = draft(canary, timestamp(this.clock.now()));
      try {
        return await this.append(canary, event);
      } catch (error) {
        // A tick came in between; whether the step is still allowed is asked again.
        if (!(error instanceof LukhasError) || error.code !== 'LEDGER_CONFLICT' || attempt >= 5) throw error;
      }
    }
  }

  private async append(canary: Canary | null, event: EventDraft): Promise<Canary> {
    const lastSeq = canary?.lastSeq ?? -1;
    const next = applyEvent(canary, { ...event, seq: lastSeq + 1, v: 1 });
    const [written] = await this.ledger.commit({
      events: [event],
      heads: [headOf(next)],
      expect: [{ subject: event.subject, lastSeq }],
    });
    return written ? applyEvent(canary, written) : next;
  }
}
