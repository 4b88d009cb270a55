import { commitmentOf, type Entry, endOf, policyOf } from './entry.js';
import type { Observations } from './observations.js';
import type { EvidenceFindings } from './report.js';
import { ASKED, Requests, Unrequested } from './requests.js';
import type { PackStatement } from './statement.js';

/** What the other files of a pack say about its entries. */
export interface Claims {
  observations: Observations;
  /** Digests of the policies in the pack. */
  policies: ReadonlySet<string>;
  /** Null when the statement cannot be read. */
  statement: PackStatement | null;
}

/** Compares each entry with the observations, the policies and the statement. */
export class FactCheck {
  readonly judges = new Set<unknown>();
  /** Canaries without observations in the pack, in order of their verdicts. */
  readonly missing: { canaryId: string; count: number }[] = [];
  /** The same with the entry of the pack that says they were pruned, by canary. */
  readonly #absent = new Map<string, Absent>();
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
  readonly #requests = new Requests();
  readonly #unrequested = new Unrequested();
  readonly #used = new Set<string>();

  constructor(
    private readonly claims: Claims,
    private readonly findings: EvidenceFindings,
  ) {}

  /** @returns a promise to await before the next entry; undefined for most */
  take(entry: Entry): Promise<void> | undefined {
    this.firstTs ??= entry;
    this.lastTs = entry;
    if (entry.kind === 'canary.requested') this.#policy(entry);
    this.#byPeople(entry);
    const end = endOf(entry, this.#requests.waits(entry.subject));
    if (end !== null) this.#end(entry, end);
    if (entry.kind === 'canary.pruned') this.#pruned(entry);
    return entry.kind === 'canary.decided' ? this.#verdict(entry) : undefined;
  }

  /** After the last entry. */
  async finish(): Promise<void> {
    const { observations, policies, statement } = this.claims;
    await observations.finish();
    for (const digest of statement?.policies ?? []) this.#used.add(digest);
    for (const digest of policies) {
      if (!this.#used.has(digest)) this.findings.problem(`policies/${digest}.json: nothing in the pack uses it`);
    }
    this.#tellAbsent();
    const unrequested = this.#unrequested.text();
    if (unrequested !== null) this.findings.unchecked(unrequested);
    const stated = statement?.length ?? this.decided;
    if (stated > this.decided) {
      this.findings.problem(`statement.dsse.json: lists ${stated} decisions, the entries have ${this.decided}`);
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
    this.#requests.add(entry);
    const { digest, claimed } = policyOf(entry);
    if (digest === null || digest !== claimed) {
      this.findings.problem(`entry ${entry.seq}: policy does not match its policyDigest`);
    } else if (!this.claims.policies.has(digest)) {
      this.findings.problem(`entry ${entry.seq}: its policy is missing: policies/${digest}.json`);
    } else this.#used.add(digest);
  }

  async #verdict(entry: Entry): Promise<void> {
    const { seq, subject } = entry;
    const judged = commitmentOf(entry);
    if (judged === null) {
      this.findings.problem(`entry ${seq}: decision without a record of what was judged`);
      return;
    }
    this.judges.add(judged.judge);
    const found = await this.claims.observations.take(subject);
    const kept = found?.count ?? 0;
    if (kept === 0 && judged.count > 0) {
      this.missing.push({ canaryId: subject, count: judged.count });
      this.#absent.set(subject, { seq, count: judged.count, digest: judged.digest, by: null });
      return;
    }
    if (kept < judged.count) {
      this.findings.problem(
        `entry ${seq}: verdict on ${subject}: the pack has ${kept} of its ${judged.count} observations; it must have all or none`,
      );
      return;
    }
    const digest = found?.digest ?? EMPTY;
    const same = kept === judged.count && digest === judged.digest && (found?.lastTick ?? judged.tick) <= judged.tick;
    const times = (found?.firstAt ?? null) === judged.firstAt && (found?.lastAt ?? null) === judged.lastAt;
    if (!same || !times)
      this.findings.problem(`entry ${seq}: verdict on ${subject}: its observations differ from those it judged`);
    else this.committed += kept;
  }

  /** Proved like every entry of the pack: these observations were deleted on purpose, and not left out by who made the pack. */
  #pruned({ seq, subject, ts, data }: Entry): void {
    const absent = this.#absent.get(subject);
    const { count, digest } = (data['observations'] ?? {}) as Record<string, unknown>;
    if (absent !== undefined && absent.count === count && absent.digest === digest) absent.by = { seq, ts };
  }

  #tellAbsent(): void {
    let named = 0;
    for (const [subject, { seq, count, by }] of this.#absent) {
      if (++named > NAMED) break;
      const why =
        by === null
          ? 'are not in the pack, which says they were pruned'
          : `were pruned on ${by.ts.slice(0, 10)} by retention (entry ${by.seq})`;
      this.findings.unchecked(`entry ${seq}: verdict on ${subject}: its ${count} observations ${why}`);
    }
    const more = this.#absent.size - NAMED;
    if (more > 0)
      this.findings.unchecked(`observations of ${more} more verdicts: not in the pack, which says they were pruned`);
  }

  #end({ seq, subject }: Entry, { outcomes, basis }: { outcomes: string[]; basis: string }): void {
    const index = this.decided++;
    if (this.claims.statement === null) return;
    const stated = this.claims.statement.decision(index);
    const same = stated?.seq === seq && stated.canaryId === subject && stated.basis === basis;
    if (!same || !outcomes.includes(stated.outcome)) {
      this.findings.problem(`statement.dsse.json: does not match entry ${seq}, which ended ${subject}`);
      return;
    }
    const asked = this.#requests.of(subject);
    if (asked === null) {
      this.#unrequested.add(seq, outcomes.length > 1);
      return;
    }
    for (const name of ASKED.filter((each) => stated[each] !== asked[each])) {
      this.findings.problem(
        `statement.dsse.json: ${name} of the decision in entry ${seq} does not match the request of ${subject}`,
      );
    }
  }
}

/** A verdict whose observations are not in the pack. */
interface Absent {
  /** Of the verdict. */
  seq: number;
  count: number;
  digest: unknown;
  by: { seq: number; ts: string } | null;
}

/** Verdicts without observations that are named one by one: a report has room for few lines, and others must not be lost. */
const NAMED = 20;

/** SHA-256 of nothing. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
