import { commitmentOf, type Entry, endOf, policyOf, waitsForApproval } from './entry.js';
import type { Observations } from './observations.js';
import type { EvidenceFindings } from './report.js';
import type { PackStatement } from './statement.js';

/** What the rest of a pack says about its entries. */
export interface Claims {
  observations: Observations;
  /** Digests of the policies in the pack. */
  policies: ReadonlySet<string>;
  /** Null when the statement cannot be read. */
  statement: PackStatement | null;
}

/** Compares each entry with what observations, policies and statement say of it. */
export class FactCheck {
  readonly judges = new Set<unknown>();
  /** Canaries of whose observations none is in the pack, in order of their verdicts. */
  readonly missing: { canaryId: string; count: number }[] = [];
  firstTs: { seq: number; ts: string } | null = null;
  lastTs: { seq: number; ts: string } | null = null;
  decided = 0;
  committed = 0;
  /** Promotions against the verdict. */
  overridden = 0;
  /** By break-glass, in order. */
  readonly #forced: { seq: number; canaryId: string; reviewed: boolean }[] = [];
  /** The newest of each canary. */
  readonly #lastForced = new Map<string, { reviewed: boolean }>();
  /** Of the canaries that were asked for in the window: whether a promotion waits for approval. */
  readonly #waits = new Map<string, boolean>();
  readonly #used = new Set<string>();

  constructor(
    private readonly claims: Claims,
    private readonly findings: EvidenceFindings,
  ) {}

  /** @returns what has to be waited for before the next entry; most need nothing */
  take(entry: Entry): Promise<void> | undefined {
    this.firstTs ??= entry;
    this.lastTs = entry;
    if (entry.kind === 'canary.requested') this.#policy(entry);
    this.#byPeople(entry);
    const end = endOf(entry, this.#waits.get(entry.subject) ?? null);
    if (end !== null) this.#end(entry, end);
    return entry.kind === 'canary.decided' ? this.#verdict(entry) : undefined;
  }

  /** After the last entry. */
  async finish(): Promise<void> {
    const { observations, policies, statement } = this.claims;
    await observations.finish();
    for (const digest of statement?.policies ?? []) this.#used.add(digest);
    for (const digest of policies) {
      if (!this.#used.has(digest)) this.findings.problem(`policies/${digest}.json: nothing in the pack refers to it`);
    }
    const stated = statement?.length ?? this.decided;
    if (stated > this.decided) {
      this.findings.problem(`statement.dsse.json: says ${stated} decisions; the entries hold ${this.decided}`);
    }
  }

  /** Break-glass promotions that nobody had reviewed by the end of the window. */
  get unreviewed(): { seq: number; canaryId: string }[] {
    return this.#forced.filter(({ reviewed }) => !reviewed).map(({ seq, canaryId }) => ({ seq, canaryId }));
  }

  #byPeople({ kind, seq, subject: canaryId }: Entry): void {
    if (kind === 'canary.overridden') this.overridden++;
    if (kind === 'canary.forced') {
      const forced = { seq, canaryId, reviewed: false };
      this.#forced.push(forced);
      this.#lastForced.set(canaryId, forced);
    }
    const last = kind === 'canary.reviewed' && this.#lastForced.get(canaryId);
    if (last) last.reviewed = true;
  }

  #policy(entry: Entry): void {
    this.#waits.set(entry.subject, waitsForApproval(entry));
    const { holds, names } = policyOf(entry);
    if (holds === null || holds !== names) {
      this.findings.problem(`entry ${entry.seq}: its policy is not the one whose digest it names`);
    } else if (!this.claims.policies.has(holds)) {
      this.findings.problem(`entry ${entry.seq}: its policy, policies/${holds}.json, is missing`);
    } else this.#used.add(holds);
  }

  async #verdict(entry: Entry): Promise<void> {
    const { seq, subject } = entry;
    const says = commitmentOf(entry);
    if (says === null) {
      this.findings.problem(`entry ${seq}: it decides without saying what was judged`);
      return;
    }
    this.judges.add(says.judge);
    const found = await this.claims.observations.take(subject);
    const kept = found?.count ?? 0;
    if (kept === 0 && says.count > 0) {
      this.missing.push({ canaryId: subject, count: says.count });
      this.findings.unchecked(
        `entry ${seq}: the pack says that the ${says.count} observations that decided ${subject} were pruned, and has none of them: what was judged cannot be shown`,
      );
      return;
    }
    if (kept < says.count) {
      this.findings.problem(
        `entry ${seq}: ${subject} was decided by ${says.count} observations, of which the pack has ${kept}: it must have all or none`,
      );
      return;
    }
    const digest = found?.digest ?? EMPTY;
    const same = kept === says.count && digest === says.digest && (found?.lastTick ?? says.tick) <= says.tick;
    const times = (found?.firstAt ?? null) === says.firstAt && (found?.lastAt ?? null) === says.lastAt;
    if (!same || !times) this.findings.problem(`entry ${seq}: the observations of ${subject} are not those it judged`);
    else this.committed += kept;
  }

  #end({ seq, subject }: Entry, { outcomes, basis }: { outcomes: string[]; basis: string }): void {
    const index = this.decided++;
    if (this.claims.statement === null) return;
    const stated = this.claims.statement.decision(index);
    const same = stated?.seq === seq && stated.canaryId === subject && stated.basis === basis;
    if (!same || !outcomes.includes(stated.outcome))
      this.findings.problem(`statement.dsse.json: does not say how entry ${seq} ended ${subject}`);
  }
}

/** SHA-256 of nothing. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
