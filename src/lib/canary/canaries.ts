import { type Clock, timestamp } from '../clock.js';
import { LukhasError } from '../errors.js';
import { parseName } from '../input/index.js';
import type { Policy, Verdict } from '../judge/index.js';
import type { Actor, EventDraft, Expectation, Ledger, SubjectSummary, SummaryFilter } from '../ledger/index.js';
import { newId, resolveId } from '../ledger/index.js';
import { policyDigest } from '../ledger/tree/index.js';
import type { SourceDescriptor } from '../metrics/index.js';
import { assertAllowed, type Canary, foldSummaries, type Listing, listOf } from '../readings/index.js';
import { appendAllowed, appendEvent, reasonOf, type Wanted } from './append.js';
import { CANARY, loadCanary, promotable } from './load.js';
import { assertUnits } from './objective-units.js';

export interface StartRequest {
  modelId: string;
  fromGate: string;
  toGate: string;
  policy: Policy;
  source: SourceDescriptor;
  dryRun: boolean;
  by: Actor;
  /** What a first look found, and what was accepted; recorded, one line each. */
  notes?: readonly string[];
}

/** The verbs on canaries that a person or a program asks for; a Runner does the watching. */
export class Canaries {
  /** @param beforePromoting throws where nothing may be promoted in this log: no override is recorded then */
  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
    private readonly beforePromoting?: () => Promise<void>,
  ) {}

  /**
   * Records the request; the canary is PENDING until a driver takes its first look.
   * @param expect what has to be so when it is recorded; LEDGER_CONFLICT otherwise
   */
  async start(request: StartRequest, expect: readonly Expectation[] = []): Promise<Canary> {
    const modelId = parseName('model', request.modelId);
    const fromGate = parseName('gate', request.fromGate);
    const toGate = parseName('gate', request.toGate);
    if (fromGate === toGate)
      throw new LukhasError('USAGE', `--from and --to must be different gates: both are "${fromGate}".`);
    assertUnits(request.policy, request.source);
    const now = this.clock.now();
    const notes = request.notes ?? [];
    const event: EventDraft = {
      kind: 'canary.requested',
      subject: newId('c', now),
      ts: timestamp(now),
      data: {
        modelId,
        fromGate,
        toGate,
        policy: request.policy,
        policyDigest: policyDigest(request.policy),
        source: { ...request.source },
        dryRun: request.dryRun,
        requestedBy: request.by,
        ...(notes.length === 0 ? {} : { notes: [...notes] }),
      },
    };
    return appendEvent(this.ledger, null, event, expect);
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
    return (await import('./interim-verdict.js')).interimVerdict(this.ledger, id);
  }

  /**
   * The id that a unique prefix of at least 6 characters, or the whole id, stands for.
   * @throws LukhasError NOT_FOUND, AMBIGUOUS_ID; USAGE when a shorter prefix begins the id of any canary
   */
  async resolve(prefix: string): Promise<string> {
    return resolveId(this.ledger, prefix, CANARY);
  }

  /** Newest first, each as its own entries tell it. */
  async list(filter: Omit<SummaryFilter, 'type'>): Promise<SubjectSummary[]> {
    return (await this.listing(filter)).summaries;
  }

  /** The same, and what the list may lack. */
  listing(filter: Omit<SummaryFilter, 'type'>): Promise<Listing> {
    return listOf(this.ledger, { ...filter, type: 'canary' });
  }

  /** Drops every listing row and derives it from the log again. @returns how many there are */
  async rebuild(): Promise<number> {
    return this.ledger.rebuildSummaries(foldSummaries);
  }

  /** Ends a PENDING or RUNNING canary. @throws LukhasError ILLEGAL_TRANSITION */
  async abort(id: string, by: Actor, reason: string): Promise<Canary> {
    return this.decideByHand(id, 'canary.aborted', by, reason);
  }

  /**
   * Promotes a BLOCKED canary as an override; where the policy wants approvals, once they are there.
   * @throws LukhasError ILLEGAL_TRANSITION; LEDGER_CORRUPT when its entries or observations are not as they were recorded
   */
  async override(id: string, by: Actor, reason: string): Promise<Canary> {
    return this.decideByHand(id, 'canary.overridden', by, reason);
  }

  /** Has the failed hooks of a decision called again by the next driver. @throws LukhasError ILLEGAL_TRANSITION */
  async retry(id: string, by: Actor): Promise<Canary> {
    return appendAllowed(this.ledger, this.clock, id, (canary, ts) => {
      const action = canary.action.kind;
      if (action === null || canary.action.state !== 'failed')
        throw new LukhasError(
          'ILLEGAL_TRANSITION',
          `Canary ${id} has no failed hook: its action is ${canary.action.state}.`,
        );
      return { event: { kind: 'canary.retried', subject: id, ts, data: { by, action } } };
    });
  }

  private async decideByHand(
    id: string,
    kind: 'canary.aborted' | 'canary.overridden',
    by: Actor,
    reason: string,
  ): Promise<Canary> {
    const given = reasonOf(reason);
    const draft = (canary: Canary, ts: string): Wanted => {
      assertAllowed(canary, kind);
      return { event: { kind, subject: id, ts, data: { by, reason: given } } };
    };
    // An abort promotes nothing: it is never kept back.
    const load = kind === 'canary.overridden' ? promotable(this.beforePromoting) : loadCanary;
    return appendAllowed(this.ledger, this.clock, id, draft, load);
  }
}
