import type { EvidenceStatement } from './statement.js';
import { commitmentOf, type Entry, endOf, policyOf, waitsForApproval } from './verify-pack-entry.js';
import type { Observed } from './verify-pack-observations.js';
import type { EvidenceFindings } from './verify-pack-report.js';

/** What the rest of a pack says about its entries. */
export interface Claims {
  observations: Map<string, Observed>;
  /** Digests of the policies in the pack. */
  policies: ReadonlySet<string>;
  /** Null when the statement cannot be read. */
  statement: EvidenceStatement | null;
}

/** Compares each entry with what observations, policies and statement say of it. */
export class FactCheck {
  readonly judges = new Set<unknown>();
  /** Canaries whose observations are not (all) in the pack, in order of their verdicts. */
  readonly missing: { canaryId: string; count: number }[] = [];
  firstTs: { seq: number; ts: string } | null = null;
  lastTs: { seq: number; ts: string } | null = null;
  decided = 0;
  committed = 0;
  /** Promotions against the verdict. */
  overridden = 0;
  /** By break-glass, in order. */
  readonly #forced: { seq: number; canaryId: string; reviewed: boolean }[] = [];
  /** Of the canaries that were asked for in the window: whether a promotion waits for approval. */
  readonly #waits = new Map<string, boolean>();
  #order = 0;
  readonly #used = new Set<string>();

  constructor(
    private readonly claims: Claims,
    private readonly findings: EvidenceFindings,
  ) {}

  take(entry: Entry): void {
    this.firstTs ??= entry;
    this.lastTs = entry;
    if (entry.kind === 'canary.requested') this.#policy(entry);
    if (entry.kind === 'canary.decided') this.#verdict(entry);
    this.#byPeople(entry);
    const end = endOf(entry, this.#waits.get(entry.subject) ?? null);
    if (end !== null) this.#end(entry, end);
  }

  /** After the last entry. */
  finish(): void {
    const { observations, policies, statement } = this.claims;
    for (const id of observations.keys()) {
      this.findings.problem(`observations.ndjson: no entry of the pack commits to those of ${id}`);
    }
    for (const { policyDigest } of statement?.predicate.decisions ?? []) this.#used.add(policyDigest ?? '');
    for (const digest of policies) {
      if (!this.#used.has(digest)) this.findings.problem(`policies/${digest}.json: nothing in the pack refers to it`);
    }
    const stated = statement?.predicate.decisions.length ?? this.decided;
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
    if (kind === 'canary.forced') this.#forced.push({ seq, canaryId, reviewed: false });
    const last = kind === 'canary.reviewed' && this.#forced.findLast((forced) => forced.canaryId === canaryId);
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

  #verdict(entry: Entry): void {
    const { seq, subject } = entry;
    const says = commitmentOf(entry);
    if (says === null) {
      this.findings.problem(`entry ${seq}: it decides without saying what was judged`);
      return;
    }
    this.judges.add(says.judge);
    const found = this.claims.observations.get(subject);
    this.claims.observations.delete(subject);
    if (found !== undefined && found.order !== this.#order++) {
      this.findings.problem(`observations.ndjson: those of ${subject} are not where they belong`);
    }
    const kept = found?.count ?? 0;
    if (kept < says.count) {
      this.missing.push({ canaryId: subject, count: says.count - kept });
      const why = 'not kept any more when the pack was made; they cannot be compared with the digest in the entry';
      this.findings.unchecked(`entry ${seq}: ${says.count - kept} observations that decided ${subject} were ${why}`);
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
    const stated = this.claims.statement.predicate.decisions[index];
    const same = stated?.seq === seq && stated.canaryId === subject && stated.basis === basis;
    if (!same || !outcomes.includes(stated.outcome))
      this.findings.problem(`statement.dsse.json: does not say how entry ${seq} ended ${subject}`);
  }
}

/** SHA-256 of nothing. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
