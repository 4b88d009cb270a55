import { canonicalJson } from '../../ledger/tree/index.js';
import type { PublicForms } from '../keys/index.js';
import { CSV_FORM } from './csv.js';
import { FRAMEWORKS } from './frameworks.js';
import type { PackPlan } from './plan.js';

export const PACK_FORMAT = 'lukhas-evidence/1';

export interface MetaParts {
  plan: PackPlan;
  version: string;
  log: { origin: string; root: Buffer };
  keys: { log: PublicForms; export: PublicForms };
  /** Entries in the pack, and entries of the window that are omitted. */
  events: number;
  omitted: number;
}

/** meta.json: what the pack covers. Says nothing of when or where it was made, so that the same window gives the same bytes. */
export function metaJson({ plan, version, log, keys, events, omitted }: MetaParts): string {
  const { range, firstTs, lastTs, selection, observations } = plan;
  const empty = range.from === range.to;
  const meta = {
    format: PACK_FORMAT,
    product: { name: 'lukhas', version },
    log: { origin: log.origin, size: range.to, root: log.root.toString('base64') },
    window: { ...range, firstTs: empty ? null : firstTs, lastTs: empty ? null : lastTs },
    filter: { models: selection.models ?? null, include: selection.families ?? null },
    counts: {
      events,
      omitted,
      observations: observations.kept,
      observationsMissing: observations.missing,
      policies: plan.policies.size,
    },
    csv: { form: CSV_FORM, bom: plan.csvBom },
    judges: [...plan.judges].sort((a, b) => a - b),
    keys: {
      log: { fingerprint: keys.log.fingerprint, vkey: keys.log.vkey },
      export: { fingerprint: keys.export.fingerprint },
    },
    sources: plan.sources,
    frameworks: FRAMEWORKS,
    unreviewed: plan.decisions.filter((d) => d.unreviewed).map(({ seq, canaryId }) => ({ seq, canaryId })),
    nonCanonical: ['audits.csv'],
  };
  return `${canonicalJson(meta, 'meta.json')}\n`;
}
